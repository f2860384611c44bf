#include "fovea/ops/layer_norm.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/layer_norm.h"
#include "fovea/ops/by_f32.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

constexpr auto op = "layer_norm";

Tensor checked(const char* name, const Tensor& p, const Tensor& x) {
  if (!p.defined()) return p;
  require(p.shape() == Shape{x.shape().back()}, op, name, " is ", p.shape(), "; for x ", x.shape(),
          " it must be (", x.shape().back(), "), the last dimension");
  require(p.dtype() == detail::parameter_type(x), op, name, " is ", p.dtype(), " but x is ", x.dtype(),
          "; cast() one of them");
  return detail::packed(p);
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  if (detail::needs_f32(x))
    return detail::by_f32([=](const Tensor& wide) { return layer_norm(wide, weight, bias, eps); }, x);
  require(x.rank() > 0, op, "x must have at least one dimension");
  require(eps > 0, op, "eps is ", eps, "; it must be above 0");
  detail::require_one_device(op, {x, weight, bias});
  const Tensor w = checked("weight", weight, x), b = checked("bias", bias, x), px = detail::packed(x);
  const Index rows = x.shape().erased(x.rank() - 1).numel();
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  Tensor stats = Tensor::empty({2, rows}, detail::parameter_type(x), x.device());
  std::visit(
      [&](auto d) {
        layer_norm_forward(d, view_of(px), view_of(w), view_of(b), eps, view_of(y), view_of(stats));
      },
      x.device());
  record(op, {x, weight, bias}, {y}, [x = Saved(px), w = Saved(w), stats](Backward& b) {
    const View dy = view_of(b.dy()), vx = view_of(x.get()), vs = view_of(stats);
    const Target dx = target_of(b, 0), dw = target_of(b, 1), db = target_of(b, 2);
    std::visit(
        [&](auto d) {
          if (dx) layer_norm_backward(d, vx, view_of(w.get()), vs, dy, dx);
          if (dw || db) layer_norm_backward_parameters(d, vx, vs, dy, dw, db);
        },
        x->device());
  });
  return y;
}

}  // namespace fovea
