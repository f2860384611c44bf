#include "fovea/ops/matmul.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/matmul.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

// With leading dimensions `batch`, stretched where x lacks them.
View stretched(const Tensor& x, const Shape& batch) {
  Shape to = batch.inserted(batch.rank(), x.size(-2));
  to = to.inserted(to.rank(), x.size(-1));
  return view_of(x, to);
}

View transposed(View v) {
  const int r = v.shape.rank();
  std::swap(v.shape[r - 2], v.shape[r - 1]);
  std::swap(v.strides[r - 2], v.strides[r - 1]);
  v.packed = false;
  return v;
}

// BLAS needs stride 1 in one of the last two dimensions, and no stretched one.
Tensor usable(const Tensor& x) {
  const Index down = x.strides()[x.rank() - 2], across = x.strides()[x.rank() - 1];
  const Index rows = x.size(-2), cols = x.size(-1);
  const bool row_major = (across == 1 || cols <= 1) && (down >= cols || rows <= 1);
  const bool column_major = (down == 1 || rows <= 1) && (across >= rows || cols <= 1);
  return row_major || column_major ? x : detail::packed(x);
}

Shape leading(const Tensor& x) {
  return Shape(std::span(x.shape().begin(), static_cast<std::size_t>(x.rank() - 2)));
}

// What would make the inner sizes of a and b agree.
const char* advice(const Tensor& a, const Tensor& b) {
  if (a.size(-1) == b.size(-1)) return "; transpose the second";
  if (a.size(-2) == b.size(-2)) return "; transpose the first";
  if (a.size(-2) == b.size(-1)) return "; swap the two, or transpose both";
  return "; the last size of the first must be the last but one of the second";
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  require(a.rank() >= 2 && b.rank() >= 2, "matmul", "needs rank 2 or more, got ", a.shape(), " x ", b.shape(),
          "; unsqueeze() a vector to make it a matrix");
  require(a.size(-1) == b.size(-2), "matmul", "inner sizes differ: ", a.shape(), " x ", b.shape(),
          advice(a, b));
  detail::require_one_device("matmul", {a, b});
  require(a.dtype() == b.dtype(), "matmul", "types differ: ", a.dtype(), " and ", b.dtype(),
          "; cast() one of them");
  const Shape batch = broadcast("matmul", leading(a), leading(b));
  Shape shape = batch.inserted(batch.rank(), a.size(-2));
  shape = shape.inserted(shape.rank(), b.size(-1));
  Tensor y = Tensor::empty(shape, a.dtype(), a.device());
  const Tensor ua = usable(a), ub = usable(b);
  std::visit([&](auto d) { matmul(d, stretched(ua, batch), stretched(ub, batch), view_of(y), Into::set); },
             y.device());
  record("matmul", {a, b}, {y}, [a = Saved(ua), b = Saved(ub), batch](Backward& back) {
    const View dy = view_of(back.dy());
    std::visit(
        [&](auto d) {
          if (back.wants(0)) {
            auto [da, into] = back.target(0);
            matmul(d, dy, transposed(stretched(b, batch)), stretched(da, batch), into);
          }
          if (back.wants(1)) {
            auto [db, into] = back.target(1);
            matmul(d, transposed(stretched(a, batch)), dy, stretched(db, batch), into);
          }
        },
        back.dy().device());
  });
  return y;
}

}  // namespace fovea
