#ifndef FOVEA_OPS_GAUSSIAN_KL_H_
#define FOVEA_OPS_GAUSSIAN_KL_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// KL(N(mu, sigma^2) || N(0, 1)) in nats, summed over the last axis: mu, log sigma [..,D] -> [..]
///   sum_d (mu^2 + sigma^2 - 2 log sigma - 1) / 2
/// (Kingma and Welling 2014, appendix B; DRAW eq. 11 with -D/2 in each step, where the paper prints T/2).
///   dmu = mu dy,  dlog_sigma = (sigma^2 - 1) dy
Tensor gaussian_kl(const Tensor& mu, const Tensor& log_sigma);

}  // namespace fovea

#endif  // FOVEA_OPS_GAUSSIAN_KL_H_
