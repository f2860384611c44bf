#ifndef FOVEA_OPS_REGRESSION_LOSS_H_
#define FOVEA_OPS_REGRESSION_LOSS_H_

#include "fovea/core/tensor.h"
#include "fovea/ops/reduction.h"

/// Losses of the difference d = x - y of two tensors of one shape. Both get gradients: dx = dloss/dd dy, that
/// of y is its negative. The result is one element (of rank 0), or has x's shape with Reduction::none.

namespace fovea {

/// d^2
Tensor mse_loss(const Tensor& x, const Tensor& y, Reduction reduction = Reduction::mean);

/// |d|; slope 0 at 0.
Tensor l1_loss(const Tensor& x, const Tensor& y, Reduction reduction = Reduction::mean);

/// d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2) (Huber 1964). delta > 0.
Tensor huber_loss(const Tensor& x, const Tensor& y, double delta = 1, Reduction reduction = Reduction::mean);

}  // namespace fovea

#endif  // FOVEA_OPS_REGRESSION_LOSS_H_
