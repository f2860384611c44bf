#ifndef FOVEA_OPS_LINEAR_H_
#define FOVEA_OPS_LINEAR_H_

#include <span>
#include <utility>

#include "fovea/core/tape.h"
#include "fovea/core/tensor.h"

namespace fovea {

/// y = x W^T + b for x [...,I], weight [O,I], bias [O] or undefined -> [...,O].
/// Gradients: dx = dy W, dW = sum over rows dy^T x, db = sum over rows dy.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

namespace detail {

/// Contributes dW += dy^T x for a weight [O,I] from dy [R,O] and x [R,I], and db += sum of dy's rows. When
/// rows are few, as at one step of a recurrence, the product waits and is made with those of the other steps
/// at once.
void add_weight_gradient(Backward& b, int input, const Tensor& dy, const Tensor& x);
void add_bias_gradient(Backward& b, int input, const Tensor& dy);

}  // namespace detail
}  // namespace fovea

#endif  // FOVEA_OPS_LINEAR_H_
