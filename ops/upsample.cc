#include "fovea/ops/upsample.h"

#include <cmath>
#include <limits>

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/upsample.h"

namespace fovea {
namespace {

constexpr auto op = "upsample";
constexpr Index most = std::numeric_limits<std::int32_t>::max();

HeightWidth size_of_result(const Tensor& x, const UpsampleOptions& o) {
  const bool sized = o.size.h != 0 || o.size.w != 0;
  require(sized != (o.scale != 0), op, "give .size or .scale, one of them");
  if (sized) {
    require(o.size.h > 0 && o.size.w > 0 && o.size.h <= most && o.size.w <= most, op, "the size is ", o.size,
            "; it must be from 1 to 2^31 - 1");
    return o.size;
  }
  const double h = std::floor(o.scale * static_cast<double>(x.shape()[2]));
  const double w = std::floor(o.scale * static_cast<double>(x.shape()[3]));
  require(h >= 1 && w >= 1 && h <= double{most} && w <= double{most}, op, "a scale of ", o.scale, " makes x ",
          x.shape(), " ", h, " x ", w, " pixels; each must be from 1 to 2^31 - 1");
  return {static_cast<Index>(h), static_cast<Index>(w)};
}

Resize resize(const UpsampleOptions& o, Index from, Index to) {
  const double old_size = static_cast<double>(from), new_size = static_cast<double>(to);
  if (o.corners == AlignCorners::yes) return {Resize::corners, from, old_size - 1, new_size - 1};
  const Resize::Kind kind = o.mode == Interpolation::nearest ? Resize::nearest : Resize::halves;
  return o.scale != 0 ? Resize{kind, from, 1, o.scale} : Resize{kind, from, old_size, new_size};
}

}  // namespace

Tensor upsample(const Tensor& x, const UpsampleOptions& options) {
  require(x.rank() == 4, op, "x must be [B,C,H,W], got ", x.shape());
  const Index height = x.shape()[2], width = x.shape()[3];
  require(height > 0 && width > 0, op, "x ", x.shape(), " has no pixels");
  require(height <= most && width <= most, op, "x ", x.shape(), " is too large: H and W are below 2^31");
  require(options.mode == Interpolation::bilinear || options.corners == AlignCorners::no, op,
          "corners can be aligned only when the mode is bilinear");
  const HeightWidth size = size_of_result(x, options);
  const Resize rows = resize(options, height, size.h), columns = resize(options, width, size.w);
  const Tensor px = detail::packed(x);
  Tensor y = Tensor::empty({x.shape()[0], x.shape()[1], size.h, size.w}, x.dtype(), x.device());
  std::visit([&](auto d) { upsample_forward(d, view_of(px), rows, columns, view_of(y)); }, x.device());
  record(op, {x}, {y}, [rows, columns](Backward& b) {
    const Target dx = target_of(b, 0);
    std::visit([&](auto d) { upsample_backward(d, view_of(b.dy()), rows, columns, dx); }, b.dy().device());
  });
  return y;
}

}  // namespace fovea
