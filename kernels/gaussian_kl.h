#ifndef FOVEA_KERNELS_GAUSSIAN_KL_H_
#define FOVEA_KERNELS_GAUSSIAN_KL_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// kl = sum over the last axis (n elements) of (mu^2 + e^(2 s) - 2 s - 1) / 2, s = log sigma. All row-major.
void gaussian_kl_forward(Cpu, const View& mu, const View& log_sigma, const View& kl);
void gaussian_kl_forward(Cuda, const View& mu, const View& log_sigma, const View& kl);

/// dmu = mu dkl and dlog_sigma = (e^(2 s) - 1) dkl, set or +=; either may be none.
void gaussian_kl_backward(Cpu, const View& mu, const View& log_sigma, const View& dkl, const Target& dmu,
                          const Target& dlog_sigma);
void gaussian_kl_backward(Cuda, const View& mu, const View& log_sigma, const View& dkl, const Target& dmu,
                          const Target& dlog_sigma);

}  // namespace fovea

#endif  // FOVEA_KERNELS_GAUSSIAN_KL_H_
