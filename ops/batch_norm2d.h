#ifndef FOVEA_OPS_BATCH_NORM2D_H_
#define FOVEA_OPS_BATCH_NORM2D_H_

#include "fovea/core/tensor.h"

namespace fovea {

struct BatchNorm2dOptions {
  bool training = false;  ///< normalise by the batch's own mean and variance, not by the running ones
  double momentum = 0.1;  ///< what a batch weighs in the running mean and variance, as in PyTorch
  double eps = 1e-5;
};

/// Batch normalisation (Ioffe and Szegedy 2015) of x [B,C,H,W] over B, H and W, for each channel:
///   y = h weight + bias,  h = (x - mean) s,  s = 1 / sqrt(variance + eps)
/// weight and bias [C] may be undefined: 1 and 0. running_mean and running_var [C] take no gradient.
///
/// In training, mean and variance (biased) are those of x, and, unless undefined, running_mean and
/// running_var are changed: r = (1 - momentum) r + momentum batch, where the variance is the unbiased one.
/// There must be more than one element per channel; with none (B = 0) nothing changes. With g = dy weight,
///   dx = s (g - mean(g) - h mean(g h)),  dweight = sum dy h,  dbias = sum dy
/// Otherwise they are running_mean and running_var, which must be there, and dx = s g. Sums over a channel
/// are the same for any number of threads.
Tensor batch_norm2d(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor running_mean,
                    Tensor running_var, const BatchNorm2dOptions& options = {});

}  // namespace fovea

#endif  // FOVEA_OPS_BATCH_NORM2D_H_
