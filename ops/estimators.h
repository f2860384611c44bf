#ifndef FOVEA_OPS_ESTIMATORS_H_
#define FOVEA_OPS_ESTIMATORS_H_

#include "fovea/core/tensor.h"
#include "fovea/ops/reduction.h"

/// Learning through draws that have no derivative of their own (see sample.h), in the two usual ways.
///
/// The score function (Williams 1992, REINFORCE): d E[R] / dp = E[R d log p / dp], unbiased for any reward,
/// but of high variance, which a baseline lessens:
///
///     const Tensor action = categorical_sample(logits, random);                        // [B]
///     const Tensor log_prob = -softmax_cross_entropy(logits, action, {.reduction = Reduction::none});
///     const Tensor loss = reinforce_loss(log_prob, reward, baseline) + mse_loss(baseline, reward);
///
/// The straight-through estimator (Bengio, Leonard and Courville 2013, section 4): of low variance, but
/// biased:
///
///     const Tensor bits = straight_through(bernoulli_sample(logits, random), sigmoid(logits));
///
/// The log probability of a Bernoulli draw is -bce_with_logits(logits, draw, Reduction::none).

namespace fovea {

/// The density of x under N(mu, sigma^2) with independent components, in nats: x, mu and log sigma, which
/// broadcast, [..,D] -> [..]. For REINFORCE, detach() x: a tracked gaussian_sample() would bring back mu.
///   -sum_d ((x - mu)^2 / (2 sigma^2) + log sigma + ln(2 pi) / 2)
Tensor gaussian_log_prob(const Tensor& x, const Tensor& mu, const Tensor& log_sigma);

/// -log_prob (reward - baseline), whose gradient is REINFORCE's estimate of that of -E[reward]. Gradients
/// flow into log_prob alone: reward and baseline are taken as numbers, so a learned baseline needs a loss of
/// its own. reward and baseline (none: 0) broadcast to log_prob's shape, such as [B,1] to [B,T].
Tensor reinforce_loss(const Tensor& log_prob, const Tensor& reward, const Tensor& baseline = {},
                      Reduction reduction = Reduction::mean);

/// The values of `sample`, with the gradient of `probs`: dprobs = dy. Of one shape; a sample of another dtype
/// is converted. For classes, sample is one_hot(categorical_sample(logits), K) and probs softmax(logits).
Tensor straight_through(const Tensor& sample, const Tensor& probs);

}  // namespace fovea

#endif  // FOVEA_OPS_ESTIMATORS_H_
