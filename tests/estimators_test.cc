#include "fovea/ops/estimators.h"

#include <cmath>
#include <numbers>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/cross_entropy.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/sample.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

TEST_CASE("gaussian_log_prob: rows") {
  // No extremes: at log sigma = -1000 the density of x = mu is beyond every number.
  check({.op = "gaussian_log_prob",
         .variant = "",
         .shapes = {{{5}, {5}, {5}}, {{2, 3, 7}, {3, 7}, {7}}, {{1}, {1}, {1}}, {{0, 3}, {0, 3}, {1}}},
         .f = [](const Inputs& x) { return gaussian_log_prob(x[0], x[1], x[2]); },
         .oracle =
             [](const Inputs& x) {
               const Tensor variance = exp(2 * x[2]);
               return sum(-square(x[0] - x[1]) / (2 * variance) - 0.5 * log(2 * std::numbers::pi * variance),
                          -1);
             },
         .low = -1,
         .high = 1,
         .extremes = false});
}

TEST_CASE("gaussian_log_prob: a density, which integrates to 1") {
  const Index n = 4001;
  const Tensor x = unsqueeze(affine(arange(n, DType::f64), 0.01, -20), 1);
  const Tensor density = exp(gaussian_log_prob(x, full({1}, 0.7, DType::f64), full({1}, 0.3, DType::f64)));
  CHECK(0.01 * sum(density).item<double>() == doctest::Approx(1).epsilon(1e-9));
}

TEST_CASE("reinforce_loss: rows") {
  for (Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none})
    for (bool with_baseline : {false, true}) {
      const auto reward = [](const Tensor& x) { return beside(x, draw(x.shape(), x.dtype(), -1, 1, 7)); };
      const auto baseline = [=](const Tensor& x) {
        return with_baseline ? beside(x, draw(x.shape(), x.dtype(), -1, 1, 8)) : Tensor();
      };
      check(
          {.op = "reinforce_loss",
           .variant = with_baseline ? "baseline" : "no baseline",
           .shapes = {{{5}}, {{2, 3}}, {{1}}, {{300}}},
           .f =
               [=](const Inputs& x) { return reinforce_loss(x[0], reward(x[0]), baseline(x[0]), reduction); },
           .oracle =
               [=](const Inputs& x) {
                 Tensor r = reward(x[0]);
                 if (with_baseline) r = r - baseline(x[0]);
                 const Tensor y = -1 * (x[0] * r);
                 return reduction == Reduction::mean ? mean(y) : reduction == Reduction::sum ? sum(y) : y;
               }});
    }
}

TEST_CASE("reinforce_loss: no gradient reaches reward and baseline") {
  Tape tape;
  const Tensor log_prob = tape.watch(full({2, 3}, -1)), reward = tape.watch(full({2, 1}, 5)),
               baseline = tape.watch(full({2, 1}, 2));
  const Tensor loss = reinforce_loss(log_prob, reward, baseline);
  CHECK(loss.item() == 3);
  tape.backward(loss);
  CHECK(tape.gradient(log_prob).at({1, 2}) == doctest::Approx(-0.5));
  CHECK(norm(tape.gradient(reward)).item() == 0);
  CHECK(norm(tape.gradient(baseline)).item() == 0);
}

TEST_CASE("reinforce_loss: its mean gradient is that of the expected reward") {
  // Three classes with rewards of their own: d E[R] / d logit_k = p_k (R_k - E[R]).
  const Index n = 200000;
  const Tensor rewards = Tensor::from({1, -2, 0.5f}, {3});
  for (double baseline : {0.0, -0.4}) {
    Generator random(9);
    Tape tape;
    const Tensor logits = tape.watch(Tensor::from({0.2f, 0.5f, -0.3f}, {3}));
    const Tensor rows = expand(logits, {n, 3});
    const Tensor action = categorical_sample(rows, random);
    const Tensor log_prob = -softmax_cross_entropy(rows, action, {.reduction = Reduction::none});
    tape.backward(reinforce_loss(log_prob, index_select(rewards, 0, action), full({1}, baseline)));
    const Tensor p = softmax(logits.detach()), g = tape.gradient(logits);
    const double expected = sum(p * rewards).item<double>();
    for (Index k = 0; k < 3; ++k) {
      const double want = -p.at({k}) * (rewards.at({k}) - expected);
      CHECK(std::abs(g.at({k}) - want) <
            4 * 1.3 / std::sqrt(static_cast<double>(n)));  // 1.3: at most, of one draw
    }
  }
}

TEST_CASE("straight_through: rows") {
  check({"straight_through",
         "its own value",
         {{{5}}, {{2, 3}}, {{1}}, {{0, 3}}},
         [](const Inputs& x) { return straight_through(x[0].detach(), x[0]); },
         [](const Inputs& x) { return clone(x[0]); }});
}

TEST_CASE("straight_through: the sample's value, the probabilities' gradient") {
  Generator random(3);
  Tape tape;
  const Tensor x = tape.watch(Tensor::from({-1, 0.5f, 2, 0}, {2, 2}));
  const Tensor p = sigmoid(x), bits = bernoulli_sample(x, random), y = straight_through(bits, p);
  CHECK(difference(y, bits) == 0);
  tape.backward(sum(y * Tensor::from({1, 2, 3, 4}, {2, 2})));
  for (Index i = 0; i < 4; ++i) {
    const double s = p.at({i / 2, i % 2});
    CHECK(tape.gradient(x).at({i / 2, i % 2}) == doctest::Approx(static_cast<double>(i + 1) * s * (1 - s)));
  }
  const Tensor u8 = cast(bits, DType::u8);
  CHECK(straight_through(u8, zeros({2, 2}, DType::f64)).dtype() == DType::f64);
}

TEST_CASE("estimators: bad input") {
  check_throws([] { gaussian_log_prob(zeros({2}), zeros({3}), zeros({3})); }, {"[gaussian_log_prob]", "(2)"});
  check_throws([] { gaussian_log_prob(zeros({}), zeros({}), zeros({})); }, {"[gaussian_log_prob]", "[..,D]"});
  check_throws([] { reinforce_loss(zeros({3}), zeros({2, 3})); }, {"[reinforce_loss]", "(2,3)", "(3)"});
  check_throws([] { straight_through(zeros({3}), zeros({4})); }, {"[straight_through]", "(3)", "(4)"});
}

}  // namespace
}  // namespace fovea::tests
