#include "fovea/ops/estimators.h"

#include <cmath>
#include <numbers>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"

namespace fovea {

Tensor gaussian_log_prob(const Tensor& x, const Tensor& mu, const Tensor& log_sigma) {
  const Shape shape = broadcast("gaussian_log_prob", broadcast("gaussian_log_prob", x.shape(), mu.shape()),
                                log_sigma.shape());
  require(shape.rank() > 0, "gaussian_log_prob",
          "x, mu and log_sigma must be [..,D]; all are single numbers");
  const double constant = 0.5 * std::log(2 * std::numbers::pi);
  const Tensor scaled = (x - mu) * exp(-log_sigma);
  return sum(affine(square(scaled), -0.5, -constant) - log_sigma, -1);
}

Tensor reinforce_loss(const Tensor& log_prob, const Tensor& reward, const Tensor& baseline,
                      Reduction reduction) {
  const Tensor r = reward.detach();
  const Tensor advantage = baseline.defined() ? r - baseline.detach() : r;
  require(broadcast("reinforce_loss", log_prob.shape(), advantage.shape()) == log_prob.shape(),
          "reinforce_loss", "the advantage ", advantage.shape(), " does not broadcast to log_prob ",
          log_prob.shape());
  const Tensor loss = -(log_prob * advantage);
  switch (reduction) {
    case Reduction::mean:
      return mean(loss);
    case Reduction::sum:
      return sum(loss);
    case Reduction::none:
      break;
  }
  return loss;
}

Tensor straight_through(const Tensor& sample, const Tensor& probs) {
  require(sample.shape() == probs.shape(), "straight_through", "shapes differ: sample ", sample.shape(),
          ", probs ", probs.shape());
  const Tensor y = cast(sample.detach(), probs.dtype()).detach();  // a handle of its own, to be tracked
  record("straight_through", {probs}, {y}, [](Backward& b) { b.add(0, b.dy()); });
  return y;
}

}  // namespace fovea
