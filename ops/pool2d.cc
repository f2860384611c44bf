#include "fovea/ops/pool2d.h"

#include <limits>

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/pool2d.h"
#include "fovea/ops/reduce.h"

namespace fovea {
namespace {

struct Pooling {
  Windows rows, columns;
  Shape shape;  // of y
};

void check(const char* op, const Tensor& x) {
  require(x.rank() == 4, op, "x must be [B,C,H,W], got ", x.shape());
  require(x.dtype() == DType::f32 || x.dtype() == DType::f64, op, "takes f32 or f64, not ", x.dtype(),
          "; cast() it first");
  require(x.shape()[2] > 0 && x.shape()[3] > 0, op, "x ", x.shape(), " has no pixels");
  require(x.shape()[2] * x.shape()[3] <= std::numeric_limits<std::int32_t>::max(), op, "x ", x.shape(),
          " is too large: H W must be below 2^31");
}

template <class Options>
Pooling windows(const char* op, const Tensor& x, const Options& o) {
  check(op, x);
  const auto along = [&](const char* side, Index pixels, Index kernel, Index stride, Index padding) {
    require(kernel > 0, op, "the kernel is ", o.kernel, "; it must be at least 1");
    require(stride >= 0, op, "the stride is ", o.stride,
            "; it must be at least 1, or 0 for the kernel's size");
    require(padding >= 0 && padding <= kernel / 2, op, "a padding of ", o.padding, " for a kernel of ",
            o.kernel, ": it may be up to half the kernel, so that no window lies in it");
    require(kernel <= pixels + 2 * padding, op, "the kernel ", o.kernel, " is larger than x ", x.shape(),
            " with a padding of ", o.padding, " in ", side);
    if (stride == 0) stride = kernel;
    return Windows{pixels, (pixels + 2 * padding - kernel) / stride + 1, kernel, stride, padding};
  };
  const Shape& s = x.shape();
  const Windows rows = along("height", s[2], o.kernel.h, o.stride.h, o.padding.h);
  const Windows columns = along("width", s[3], o.kernel.w, o.stride.w, o.padding.w);
  return {rows, columns, {s[0], s[1], rows.count, columns.count}};
}

Pooling adaptive_windows(const char* op, const Tensor& x, HeightWidth size) {
  check(op, x);
  require(size.h > 0 && size.w > 0, op, "the size of the result is ", size, "; it must be at least 1");
  const auto along = [](Index pixels, Index count) {
    if (pixels % count != 0) return Windows{pixels, count};
    return Windows{pixels, count, pixels / count, pixels / count};
  };
  const Shape& s = x.shape();
  return {along(s[2], size.h), along(s[3], size.w), {s[0], s[1], size.h, size.w}};
}

Tensor max_pool(const char* op, const Tensor& x, const Pooling& p) {
  const Tensor px = detail::packed(x);
  Tensor y = Tensor::empty(p.shape, x.dtype(), x.device()), at;
  if (Tape::current() && x.tracked()) at = Tensor::empty(p.shape, DType::i32, x.device());
  std::visit([&](auto d) { max_pool2d_forward(d, view_of(px), p.rows, p.columns, view_of(y), view_of(at)); },
             x.device());
  record(op, {x}, {y}, [at = Saved(at), rows = p.rows, columns = p.columns](Backward& b) {
    const Target dx = target_of(b, 0);
    std::visit([&](auto d) { max_pool2d_backward(d, view_of(at.get()), rows, columns, view_of(b.dy()), dx); },
               at->device());
  });
  return y;
}

Tensor avg_pool(const char* op, const Tensor& x, const Pooling& p, bool count_padding) {
  const Tensor px = detail::packed(x);
  Tensor y = Tensor::empty(p.shape, x.dtype(), x.device());
  std::visit(
      [&](auto d) { avg_pool2d_forward(d, view_of(px), p.rows, p.columns, count_padding, view_of(y)); },
      x.device());
  record(op, {x}, {y}, [rows = p.rows, columns = p.columns, count_padding](Backward& b) {
    const Target dx = target_of(b, 0);
    std::visit([&](auto d) { avg_pool2d_backward(d, view_of(b.dy()), rows, columns, count_padding, dx); },
               b.dy().device());
  });
  return y;
}

}  // namespace

Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options) {
  return max_pool("max_pool2d", x, windows("max_pool2d", x, options));
}

Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options) {
  return avg_pool("avg_pool2d", x, windows("avg_pool2d", x, options), options.count_include_pad);
}

Tensor adaptive_max_pool2d(const Tensor& x, HeightWidth size) {
  const Pooling p = adaptive_windows("adaptive_max_pool2d", x, size);
  if (size.h == 1 && size.w == 1) return max(x, {2, 3}, true);  // walks the plane as one row
  return max_pool("adaptive_max_pool2d", x, p);
}

Tensor adaptive_avg_pool2d(const Tensor& x, HeightWidth size) {
  const Pooling p = adaptive_windows("adaptive_avg_pool2d", x, size);
  if (size.h == 1 && size.w == 1) return mean(x, {2, 3}, true);
  return avg_pool("adaptive_avg_pool2d", x, p, false);
}

}  // namespace fovea
