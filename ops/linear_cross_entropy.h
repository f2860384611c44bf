#ifndef FOVEA_OPS_LINEAR_CROSS_ENTROPY_H_
#define FOVEA_OPS_LINEAR_CROSS_ENTROPY_H_

#include "fovea/core/tensor.h"
#include "fovea/ops/reduction.h"

namespace fovea {

struct LinearCrossEntropyOptions {
  double label_smoothing = 0;  ///< eps in [0, 1): the share of the target that is spread over all classes
  Index not_smoothed = -1;     ///< but over this one, if it is a class: padding; no row that counts has it
  Index ignore_index = -100;  ///< rows of this class have loss 0 and gradient 0, and do not count in the mean
  Reduction reduction = Reduction::mean;  ///< or sum
  Index chunk_rows = 0;                   ///< rows of logits that exist at a time; 0: 8 MB, on a GPU 128
};

/// softmax_cross_entropy(linear(x, weight, bias), classes) for x [..,D], weight [V,D], bias [V] or undefined,
/// classes [..] (i32): the last layer of a language model with its loss, one element.
/// The logits [rows,V] exist a few rows at a time. When it is recorded, forward makes the gradients too while
/// it has them, so that nothing is made twice: with dlogits_c = p_c - q_c over the rows that count,
///   dx = dloss dlogits weight,  dweight = dloss dlogits^T x,  dbias = dloss sum of dlogits' rows
/// It saves dx and dweight: (rows + V) D numbers in place of 2 rows V.
Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& classes,
                            const LinearCrossEntropyOptions& options = {});

}  // namespace fovea

#endif  // FOVEA_OPS_LINEAR_CROSS_ENTROPY_H_
