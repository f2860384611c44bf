#include <cmath>

#include "fovea/models/gpt/learner.h"
#include "fovea/ops/create.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// Tokens 0 to 4 again and again, so that the next one is always certain.
gpt::Text counting(Index n) {
  gpt::Text text;
  for (Index i = 0; i < n; ++i)
    (i < n * 9 / 10 ? text.train : text.validation).push_back(static_cast<std::int32_t>(i % 5));
  return text;
}

gpt::Settings small() {
  gpt::Settings s = gpt::settings_for("cpu");
  s.vocabulary = 6;
  s.context = 8;
  s.layers = 1;
  s.heads = 2;
  s.width = 16;
  s.dropout = 0.1;
  s.batch_size = 4;
  s.warmup = 5;
  s.steps = 60;
  s.lr = 1e-2;
  return s;
}

std::vector<float> weights(gpt::Learner& learner) {
  std::vector<float> all;
  for (const NamedTensor& t : learner.checkpoint().model)
    for (Index i = 0; i < t.tensor.numel(); ++i) all.push_back(t.tensor.data<float>()[i]);
  return all;
}

}  // namespace

TEST_CASE("gpt learner: learns what follows, and goes on from a checkpoint bit for bit") {
  gpt::Learner learner(small(), counting(400));
  const double unigrams = learner.unigram_loss(), before = learner.validation_loss();
  CHECK(unigrams == doctest::Approx(std::log(5)).epsilon(0.02));
  CHECK(before == doctest::Approx(std::log(6)).epsilon(0.05));
  for (int i = 0; i < 30; ++i) learner.step();
  Checkpoint half = learner.checkpoint();
  for (NamedTensor& t : half.model) t.tensor = clone(t.tensor);  // they are the learner's own
  for (NamedTensor& t : half.optimizer) t.tensor = clone(t.tensor);
  for (int i = 0; i < 30; ++i) learner.step();
  CHECK(learner.validation_loss() < 0.3);
  CHECK(learner.validation_loss(1) < 0.3);
  gpt::Learner again(gpt::Settings::from_json(half.meta), counting(400));
  again.restore(half);
  for (int i = 0; i < 30; ++i) again.step();
  CHECK(weights(learner) == weights(again));

  Generator random(1);
  std::vector<std::int32_t> shown;
  const std::vector<std::int32_t> start{3, 4};
  const Tensor ids = learner.model().generate(Tensor::from(start, {1, 2}), 12, {.temperature = 0}, random,
                                              [&](const Tensor& token) {
                                                shown.push_back(static_cast<std::int32_t>(token.at({0})));
                                                return shown.size() < 11;
                                              });
  CHECK(ids.shape() == Shape{1, 13});
  CHECK(shown == std::vector<std::int32_t>{0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0});
}

TEST_CASE("gpt learner: with bf16 activations it learns about as well, and weights and answers stay f32") {
  gpt::Settings s = small();
  s.dropout = 0;
  gpt::Learner exact(s, counting(400));
  s.dtype = "bf16";
  gpt::Learner rounded(s, counting(400));
  double first = rounded.step();
  CHECK(first != exact.step());
  for (int i = 1; i < 30; ++i) {
    const double cost = rounded.step();
    CHECK(cost == doctest::Approx(exact.step()).epsilon(0.05));
  }
  CHECK(rounded.validation_loss() < 0.7 * first);
  for (const NamedTensor& t : rounded.checkpoint().model) CHECK(t.tensor.dtype() == DType::f32);
  CHECK(rounded.model().forward(zeros({1, 3}, DType::i32)).dtype() == DType::f32);
}

TEST_CASE("gpt learner: bad input") {
  check_throws([] { gpt::settings_for("tpu"); }, {"'tpu' is not a preset", "cpu, gpu"});
  gpt::Learner mute(small());
  check_throws([&] { mute.step(); }, {"no text"});
  check_throws([&] { mute.validation_loss(); }, {"no text"});
  gpt::Text text = counting(400);
  text.validation[3] = 6;
  check_throws([&] { gpt::Learner(small(), text); }, {"token 6", "vocabulary of 6"});
}

}  // namespace fovea::tests
