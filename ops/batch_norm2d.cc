#include "fovea/ops/batch_norm2d.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/batch_norm2d.h"
#include "fovea/ops/create.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

constexpr auto op = "batch_norm2d";

void check(const char* name, const Tensor& p, const Tensor& x) {
  if (!p.defined()) return;
  require(p.shape() == Shape{x.shape()[1]}, op, name, " is ", p.shape(), "; for x ", x.shape(),
          " it must be (", x.shape()[1], "), one for each channel");
  require(p.dtype() == x.dtype(), op, name, " is ", p.dtype(), " but x is ", x.dtype(),
          "; cast() one of them");
}

Tensor packed(const Tensor& p) { return p.defined() ? detail::packed(p) : p; }

// Mean and scale of every channel; in training the running statistics change.
Tensor statistics(const Tensor& x, Tensor& running_mean, Tensor& running_var, const BatchNorm2dOptions& o) {
  Tensor stats = Tensor::empty({2, x.shape()[1]}, x.dtype(), x.device());
  if (o.training && running_mean.defined()) {
    require(running_mean.contiguous() && running_var.contiguous(), op,
            "the running mean and variance are changed where they lie; views of other tensors will not do");
    running_mean.note_change();
    running_var.note_change();
  }
  const Tensor mean = packed(running_mean), var = packed(running_var);
  std::visit(
      [&](auto d) {
        if (o.training)
          batch_norm2d_batch_stats(d, view_of(x), o.eps, o.momentum, view_of(stats), view_of(mean),
                                   view_of(var));
        else
          batch_norm2d_running_stats(d, view_of(mean), view_of(var), o.eps, view_of(stats));
      },
      x.device());
  return stats;
}

}  // namespace

Tensor batch_norm2d(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor running_mean,
                    Tensor running_var, const BatchNorm2dOptions& options) {
  require(x.rank() == 4, op, "x must be [B,C,H,W], got ", x.shape());
  check("weight", weight, x);
  check("bias", bias, x);
  check("running_mean", running_mean, x);
  check("running_var", running_var, x);
  detail::require_one_device(op, {x, weight, bias, running_mean, running_var});
  const bool training = options.training;
  require(running_mean.defined() == running_var.defined() && (training || running_mean.defined()), op,
          "needs running_mean and running_var",
          training ? ", or neither" : " outside training; give them, or set .training");
  require(options.eps > 0, op, "eps is ", options.eps, "; it must be above 0");
  require(options.momentum >= 0 && options.momentum <= 1, op, "momentum is ", options.momentum,
          "; it must be from 0 to 1");
  const Index count = x.shape().erased(1).numel();
  require(!training || count != 1, op, "x ", x.shape(),
          " has one element per channel (B H W = 1): in training its variance would be 0 whatever it is; ",
          "use larger batches or images, or evaluation mode");

  const Tensor px = detail::packed(x), w = packed(weight), shift = packed(bias);
  const Tensor stats = count == 0 ? zeros({2, x.shape()[1]}, x.dtype(), x.device())
                                  : statistics(px, running_mean, running_var, options);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  std::visit(
      [&](auto d) {
        batch_norm2d_forward(d, view_of(px), view_of(w), view_of(shift), view_of(stats), view_of(y));
      },
      x.device());
  record(op, {x, weight, bias}, {y}, [x = Saved(px), w = Saved(w), stats, training](Backward& b) {
    const Target dx = target_of(b, 0), dw = target_of(b, 1), db = target_of(b, 2);
    std::visit(
        [&](auto d) {
          batch_norm2d_backward(d, view_of(x.get()), view_of(w.get()), view_of(stats), training,
                                view_of(b.dy()), dx, dw, db);
        },
        x->device());
  });
  return y;
}

}  // namespace fovea
