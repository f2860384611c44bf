#ifndef FOVEA_OPS_BCE_H_
#define FOVEA_OPS_BCE_H_

#include "fovea/core/tensor.h"
#include "fovea/ops/reduction.h"

namespace fovea {

/// The binary cross-entropy of targets y in [0, 1] and probabilities sigmoid(x), in nats, from the logits x:
///   l = w (max(x, 0) - x y + ln(1 + e^-|x|))
/// x and y of one shape. `weight` w, if given, broadcasts to it, takes no gradient, and masks or weighs
/// elements; the mean is over all elements whatever their weight. The result is one element, or has x's shape
/// with Reduction::none.
///   dx = w (sigmoid(x) - y) dl,  dy = -w x dl
Tensor bce_with_logits(const Tensor& logits, const Tensor& targets, Reduction reduction = Reduction::mean,
                       const Tensor& weight = Tensor());

}  // namespace fovea

#endif  // FOVEA_OPS_BCE_H_
