#ifndef FOVEA_OPS_LINEAR_H_
#define FOVEA_OPS_LINEAR_H_

#include <span>
#include <utility>

#include "fovea/core/tape.h"
#include "fovea/core/tensor.h"

namespace fovea {

/// What a linear layer may end in; as the functions of ops/pointwise.h.
enum class Activation { none, relu, gelu, gelu_tanh };

/// y = f(u), u = x W^T + b for x [...,I], weight [O,I], bias [O] or undefined -> [...,O]. Only gelu needs u
/// for its gradient, and it is not kept where none is recorded. On a GPU relu and gelu_tanh are made by the
/// product itself. Gradients: du = dy f'(u), dx = du W, dW = sum over rows du^T x, db = sum over rows du.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              Activation activation = Activation::none);

namespace detail {

/// Contributes dW += dy^T x for a weight [O,I] from dy [R,O] and x [R,I], and db += sum of dy's rows. When
/// rows are few, as at one step of a recurrence, the product waits and is made with those of the other steps
/// at once.
void add_weight_gradient(Backward& b, int input, const Tensor& dy, const Tensor& x);
void add_bias_gradient(Backward& b, int input, const Tensor& dy);

}  // namespace detail
}  // namespace fovea

#endif  // FOVEA_OPS_LINEAR_H_
