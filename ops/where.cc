#include "fovea/ops/where.h"

#include "fovea/core/tape.h"
#include "fovea/kernels/copy.h"
#include "fovea/kernels/reduce.h"
#include "fovea/kernels/where.h"
#include "fovea/ops/by_f32.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

void require_mask(const char* op, const Tensor& mask) {
  require(mask.dtype() == DType::u8, op, "the mask is u8, not ", mask.dtype(),
          "; make one by a comparison such as not_equal(x, 0)");
}

// The gradient of the input that is taken where (mask != 0) == chosen.
void choose(Backward& b, int input, const Tensor& mask, bool chosen) {
  if (!b.wants(input)) return;
  const Tensor& dz = b.dy();
  const auto t = b.target(input);
  std::visit(
      [&](auto d) {
        const View m = view_of(mask, dz.shape());
        if (t.dx.shape() == dz.shape())
          return where_backward(d, m, chosen, view_of(dz), view_of(t.dx), t.into);
        // It was stretched: the gradient is summed over what it was stretched along.
        Tensor part = Tensor::empty(dz.shape(), dz.dtype(), dz.device());
        where_backward(d, m, chosen, view_of(dz), view_of(part), Into::set);
        if (part.numel() > 0)
          sum_forward(d, view_of(part), 1, view_of(t.dx, dz.shape()), t.into);
        else if (t.into == Into::set)
          fill(d, view_of(t.dx), 0);
      },
      dz.device());
}

}  // namespace

Tensor where(const Tensor& mask, const Tensor& x, const Tensor& y) {
  require_mask("where", mask);
  require(x.dtype() == y.dtype(), "where", "types differ: ", x.dtype(), " and ", y.dtype(),
          "; cast() one of them");
  detail::require_one_device("where", {mask, x, y});
  if (detail::needs_f32(x))
    return detail::by_f32([&](const Tensor& a, const Tensor& b) { return where(mask, a, b); }, x, y);
  const Shape shape = broadcast("where", mask.shape(), broadcast("where", x.shape(), y.shape()));
  Tensor z = Tensor::empty(shape, x.dtype(), x.device());
  std::visit(
      [&](auto d) {
        where_forward(d, view_of(mask, shape), view_of(x, shape), 0, view_of(y, shape), view_of(z));
      },
      z.device());
  record("where", {x, y}, {z}, [mask = Saved(mask)](Backward& b) {
    choose(b, 0, mask, true);
    choose(b, 1, mask, false);
  });
  return z;
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) {
  require_mask("masked_fill", mask);
  require(broadcast("masked_fill", x.shape(), mask.shape()) == x.shape(), "masked_fill", "mask ",
          mask.shape(), " does not stretch to x ", x.shape());
  detail::require_one_device("masked_fill", {x, mask});
  if (detail::needs_f32(x))
    return detail::by_f32([&](const Tensor& a) { return masked_fill(a, mask, value); }, x);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  std::visit([&](auto d) { where_forward(d, view_of(mask, x.shape()), {}, value, view_of(x), view_of(y)); },
             x.device());
  record("masked_fill", {x}, {y}, [mask = Saved(mask)](Backward& b) { choose(b, 0, mask, false); });
  return y;
}

}  // namespace fovea
