#ifndef FOVEA_OPS_CROSS_ENTROPY_H_
#define FOVEA_OPS_CROSS_ENTROPY_H_

#include "fovea/core/tensor.h"
#include "fovea/ops/reduction.h"

namespace fovea {

struct CrossEntropyOptions {
  double label_smoothing = 0;  ///< eps in [0, 1): the share of the target that is spread over all classes
  Index ignore_index = -100;  ///< rows of this class have loss 0 and gradient 0, and do not count in the mean
  Tensor class_weights = {};  ///< [C], of the logits' type; takes no gradient
  Reduction reduction = Reduction::mean;
};

/// The cross-entropy, in nats, of classes y [..] (i32) and softmax(x), from logits x [..,C]:
///   l = -sum_c q_c ln p_c,  p = softmax(x),  q_c = (1 - eps) w_y [c = y] + eps / C w_c
/// as PyTorch's CrossEntropyLoss (smoothing as in Szegedy et al. 2016). The mean is sum l / sum w_y over the
/// rows that count (0 when none does). The result is one element, or [..] with Reduction::none.
///   dx_c = (p_c sum_k q_k - q_c) dl
/// Saves the logits and two numbers a row; the probabilities are never stored.
Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& classes,
                             const CrossEntropyOptions& options = {});

}  // namespace fovea

#endif  // FOVEA_OPS_CROSS_ENTROPY_H_
