#include "fovea/ops/rms_norm.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/rms_norm.h"
#include "fovea/ops/one_device.h"

namespace fovea {

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  constexpr auto op = "rms_norm";
  require(x.rank() > 0, op, "x must have at least one dimension");
  require(eps > 0, op, "eps is ", eps, "; it must be above 0");
  if (weight.defined()) {
    require(weight.shape() == Shape{x.shape().back()}, op, "weight is ", weight.shape(), "; for x ",
            x.shape(), " it must be (", x.shape().back(), "), the last dimension");
    require(weight.dtype() == x.dtype(), op, "weight is ", weight.dtype(), " but x is ", x.dtype(),
            "; cast() one of them");
  }
  detail::require_one_device(op, {x, weight});
  const Tensor px = detail::packed(x), w = weight.defined() ? detail::packed(weight) : weight;
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  Tensor scales = Tensor::empty({x.shape().erased(x.rank() - 1).numel()}, x.dtype(), x.device());
  std::visit([&](auto d) { rms_norm_forward(d, view_of(px), view_of(w), eps, view_of(y), view_of(scales)); },
             x.device());
  record(op, {x, weight}, {y}, [x = Saved(px), w = Saved(w), scales](Backward& b) {
    const View dy = view_of(b.dy()), vx = view_of(x.get()), vs = view_of(scales);
    const Target dx = target_of(b, 0), dw = target_of(b, 1);
    std::visit(
        [&](auto d) {
          if (dx) rms_norm_backward(d, vx, view_of(w.get()), vs, dy, dx);
          if (dw) rms_norm_backward_weight(d, vx, vs, dy, dw);
        },
        x->device());
  });
  return y;
}

}  // namespace fovea
