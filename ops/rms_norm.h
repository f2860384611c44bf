#ifndef FOVEA_OPS_RMS_NORM_H_
#define FOVEA_OPS_RMS_NORM_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// Root-mean-square normalisation (Zhang and Sennrich 2019) over the last axis of x [..,D]:
///   y = x s weight,  s = 1 / sqrt(mean(x^2) + eps)
/// weight [D] may be undefined: 1. With g = dy weight,
///   dx = s (g - x s^2 mean(g x)),  dweight = sum over rows of dy x s;
/// the sum over rows is the same for any number of threads.
Tensor rms_norm(const Tensor& x, const Tensor& weight = {}, double eps = 1e-6);

}  // namespace fovea

#endif  // FOVEA_OPS_RMS_NORM_H_
