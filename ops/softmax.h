#ifndef FOVEA_OPS_SOFTMAX_H_
#define FOVEA_OPS_SOFTMAX_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// y_i = e^(x_i) / sum_j e^(x_j) along dimension `dim`; x of any shape, f32 or f64. The largest x is
/// subtracted first, so no input overflows; a row of nothing but -inf gives 0.
///   dx_i = y_i (dy_i - sum_j y_j dy_j)
Tensor softmax(const Tensor& x, int dim = -1);

/// The softmax over the elements that `keep_mask` keeps: u8 (0 or 1), of x's shape or one that broadcasts to
/// it. The others get 0 and a gradient of 0; so does every element of a row of which nothing is kept.
Tensor masked_softmax(const Tensor& x, const Tensor& keep_mask, int dim = -1);

/// y_i = x_i - ln sum_j e^(x_j) along dimension `dim`.
///   dx_i = dy_i - e^(y_i) sum_j dy_j
Tensor log_softmax(const Tensor& x, int dim = -1);

}  // namespace fovea

#endif  // FOVEA_OPS_SOFTMAX_H_
