#include "fovea/ops/bce.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/bce.h"
#include "fovea/kernels/copy.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

constexpr auto op = "bce_with_logits";

// The weights, one for each element of x.
Tensor spread(const Tensor& weight, const Tensor& x) {
  if (!weight.defined()) return weight;
  require(weight.dtype() == x.dtype(), op, "weight is ", weight.dtype(), " but the logits are ", x.dtype(),
          "; cast() it");
  require(!Tape::current() || !weight.tracked(), op, "weight takes no gradient; detach() it");
  require(broadcast(op, x.shape(), weight.shape()) == x.shape(), op, "weight ", weight.shape(),
          " is larger than the logits ", x.shape());
  if (weight.shape() == x.shape()) return detail::packed(weight);
  Tensor w = Tensor::empty(x.shape(), x.dtype(), x.device());
  std::visit([&](auto d) { copy(d, view_of(w), view_of(weight, x.shape())); }, x.device());
  return w;
}

}  // namespace

Tensor bce_with_logits(const Tensor& logits, const Tensor& targets, Reduction reduction,
                       const Tensor& weight) {
  require(logits.shape() == targets.shape(), op, "shapes differ: logits ", logits.shape(), ", targets ",
          targets.shape(), "; expand() or reshape() one of them");
  require(logits.dtype() == targets.dtype(), op, "types differ: logits ", logits.dtype(), ", targets ",
          targets.dtype(), "; cast() one of them");
  detail::require_one_device(op, {logits, targets, weight});
  const Tensor x = detail::packed(logits), y = detail::packed(targets), w = spread(weight, logits);
  const double scale = detail::reduced_scale(reduction, x.numel());
  Tensor loss = Tensor::empty(detail::reduced(reduction, x.shape()), x.dtype(), x.device());
  std::visit([&](auto d) { bce_forward(d, view_of(x), view_of(y), view_of(w), scale, view_of(loss)); },
             x.device());
  record(op, {logits, targets}, {loss}, [scale, x = Saved(x), y = Saved(y), w = Saved(w)](Backward& b) {
    const View vx = view_of(x.get()), vw = view_of(w.get()), dy = view_of(b.dy());
    const Target dx = target_of(b, 0), dt = target_of(b, 1);
    std::visit(
        [&](auto d) {
          if (dx) bce_backward_logits(d, vx, view_of(y.get()), vw, scale, dy, dx);
          if (dt) bce_backward_targets(d, vx, vw, scale, dy, dt);
        },
        x->device());
  });
  return loss;
}

}  // namespace fovea
