#ifndef FOVEA_OPS_SAMPLE_H_
#define FOVEA_OPS_SAMPLE_H_

#include "fovea/core/generator.h"
#include "fovea/core/tensor.h"

/// Random draws from distributions whose parameters a model computes. The same generator state gives the same
/// draws, whatever the number of threads.
///
/// Only a Gaussian draw is differentiable in its parameters. The discrete ones are never tracked, as the
/// results of comparisons are not: estimators.h says how to learn through them all the same.

namespace fovea {

/// A draw from N(mu, sigma^2) that gradients pass through (the reparameterisation of Kingma and Welling 2014,
/// section 2.4; PyTorch's rsample). mu and log sigma of one shape.
///   z = mu + e^log_sigma eps,  eps ~ N(0, 1) fresh for every element: two words of the generator
///   dmu = dz,  dlog_sigma = e^log_sigma eps dz
Tensor gaussian_sample(const Tensor& mu, const Tensor& log_sigma, Generator& random);

/// 1 with probability sigmoid(logits), else 0; of the logits' shape and type, NaN where they are NaN.
/// Element i is 1 when the i-th random.uniform() from here on is below its probability. No gradient.
Tensor bernoulli_sample(const Tensor& logits, Generator& random);

/// A class drawn from softmax(logits) for every row: logits [..,K] -> ids [..] (i32). A class of logit -inf
/// is never drawn. One word of the generator a row. Throws where a row has NaN, +inf, or nothing but -inf. No
/// gradient.
Tensor categorical_sample(const Tensor& logits, Generator& random);

}  // namespace fovea

#endif  // FOVEA_OPS_SAMPLE_H_
