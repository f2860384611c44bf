#ifndef FOVEA_KERNELS_SAMPLE_H_
#define FOVEA_KERNELS_SAMPLE_H_

#include "fovea/core/device.h"
#include "fovea/kernels/philox.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

/// All views row-major.

namespace fovea {

/// noise = e^log_sigma eps and z = mu + noise, where element i's eps is the standard normal number that
/// Generator::normal() makes of the two words from 2 i on, to 1e-6.
void gaussian_sample_forward(Cpu, const View& mu, const View& log_sigma, RandomState random,
                             const View& noise, const View& z);
void gaussian_sample_forward(Cuda, const View& mu, const View& log_sigma, RandomState random,
                             const View& noise, const View& z);
/// dmu = dz and dlog_sigma = dz noise, set or +=; either may be none.
void gaussian_sample_backward(Cpu, const View& dz, const View& noise, const Target& dmu,
                              const Target& dlog_sigma);
void gaussian_sample_backward(Cuda, const View& dz, const View& noise, const Target& dmu,
                              const Target& dlog_sigma);

/// y_i = 1 where the uniform number of word i is below sigmoid(x_i), else 0; NaN where x is.
void bernoulli_sample(Cpu, const View& logits, RandomState random, const View& y);
void bernoulli_sample(Cuda, const View& logits, RandomState random, const View& y);

/// Row r of logits [R,K] -> ids [R] (i32): the first k with e^x_0 + ... + e^x_k above the share of their sum
/// that the uniform number of word r says. Returns the first row that has NaN, +inf, or nothing above -inf;
/// R when there is none.
Index categorical_sample(Cpu, const View& logits, RandomState random, const View& ids);
Index categorical_sample(Cuda, const View& logits, RandomState random, const View& ids);

}  // namespace fovea

#endif  // FOVEA_KERNELS_SAMPLE_H_
