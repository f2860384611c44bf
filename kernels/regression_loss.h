#ifndef FOVEA_KERNELS_REGRESSION_LOSS_H_
#define FOVEA_KERNELS_REGRESSION_LOSS_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// A loss of the difference d = x - y: d^2; |d|; d^2 / 2 up to |d| = delta and from there on a straight line.
struct RegressionLoss {
  enum Kind { mse, l1, huber } kind;
  double delta = 1;
};

/// All views row-major. `loss` has x's elements, or one: scale times their sum.
void regression_loss_forward(Cpu, RegressionLoss loss, const View& x, const View& y, double scale,
                             const View& out);
void regression_loss_forward(Cuda, RegressionLoss loss, const View& x, const View& y, double scale,
                             const View& out);

/// dx (set or +=) = sign * dloss/dd * dy: sign 1 gives x's gradient and -1 that of y.
void regression_loss_backward(Cpu, RegressionLoss loss, const View& x, const View& y, double scale,
                              const View& dy, double sign, const Target& dx);
void regression_loss_backward(Cuda, RegressionLoss loss, const View& x, const View& y, double scale,
                              const View& dy, double sign, const Target& dx);

}  // namespace fovea

#endif  // FOVEA_KERNELS_REGRESSION_LOSS_H_
