#ifndef FOVEA_OPS_LAYER_NORM_H_
#define FOVEA_OPS_LAYER_NORM_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// Layer normalisation (Ba, Kiros and Hinton 2016) over the last axis of x [..,D]:
///   y = h weight + bias,  h = (x - mean(x)) s,  s = 1 / sqrt(mean((x - mean(x))^2) + eps)
/// weight and bias [D] may be undefined: 1 and 0. With g = dy weight,
///   dx = s (g - mean(g) - h mean(g h)),  dweight = sum over rows of dy h,  dbias = sum over rows of dy;
/// the sums over rows are the same for any number of threads.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps = 1e-5);

}  // namespace fovea

#endif  // FOVEA_OPS_LAYER_NORM_H_
