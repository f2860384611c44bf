#include "fovea/ops/regression_loss.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/regression_loss.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

Tensor apply(const char* op, RegressionLoss loss, const Tensor& x, const Tensor& y, Reduction reduction) {
  require(x.shape() == y.shape(), op, "shapes differ: x ", x.shape(), ", y ", y.shape(),
          "; expand() or reshape() one of them");
  require(x.dtype() == y.dtype(), op, "types differ: x ", x.dtype(), ", y ", y.dtype(),
          "; cast() one of them");
  detail::require_one_device(op, {x, y});
  const Tensor px = detail::packed(x), py = detail::packed(y);
  const double scale = detail::reduced_scale(reduction, x.numel());
  Tensor out = Tensor::empty(detail::reduced(reduction, x.shape()), x.dtype(), x.device());
  std::visit([&](auto d) { regression_loss_forward(d, loss, view_of(px), view_of(py), scale, view_of(out)); },
             x.device());
  record(op, {x, y}, {out}, [loss, scale, x = Saved(px), y = Saved(py)](Backward& b) {
    for (int i = 0; i < 2; ++i) {
      const Target dx = target_of(b, i);
      if (!dx) continue;
      const View vx = view_of(x.get()), vy = view_of(y.get());
      const double sign = i == 0 ? 1 : -1;
      std::visit([&](auto d) { regression_loss_backward(d, loss, vx, vy, scale, view_of(b.dy()), sign, dx); },
                 x->device());
    }
  });
  return out;
}

}  // namespace

Tensor mse_loss(const Tensor& x, const Tensor& y, Reduction reduction) {
  return apply("mse_loss", {RegressionLoss::mse}, x, y, reduction);
}

Tensor l1_loss(const Tensor& x, const Tensor& y, Reduction reduction) {
  return apply("l1_loss", {RegressionLoss::l1}, x, y, reduction);
}

Tensor huber_loss(const Tensor& x, const Tensor& y, double delta, Reduction reduction) {
  require(delta > 0, "huber_loss", "delta is ", delta, "; it must be above 0");
  return apply("huber_loss", {RegressionLoss::huber, delta}, x, y, reduction);
}

}  // namespace fovea
