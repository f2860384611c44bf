#include "fovea/models/transformer/learner.h"
#include "fovea/ops/create.h"
#include "fovea/ops/reduce.h"
#include "tests/backwards.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

using transformer::Learner;
using transformer::Settings;

Settings small() {
  Settings s = transformer::settings_for("copy");
  s.width = 32;
  s.heads = 4;
  s.feedforward = 48;
  s.layers = 1;
  s.dropout = 0.1;
  s.source_words = s.target_words = 10;
  s.tokens = 100;
  s.most_length = 6;
  s.warmup = 30;
  s.steps = 40;
  s.averages = 3;
  s.average_every = 2;
  return s;
}

// All numbers of the tensors whose names start so, in a row by their names.
std::vector<float> numbers(std::vector<NamedTensor> tensors, const std::string& prefix = "") {
  std::sort(tensors.begin(), tensors.end(),
            [](const NamedTensor& a, const NamedTensor& b) { return a.name < b.name; });
  std::vector<float> all;
  for (const NamedTensor& t : tensors)
    if (t.name.rfind(prefix, 0) == 0)
      for (const float x : t.tensor.values<float>()) all.push_back(x);
  return all;
}

Checkpoint copied(Checkpoint c) {
  for (auto* part : {&c.model, &c.optimizer, &c.extra})
    for (NamedTensor& t : *part) t.tensor = clone(t.tensor);
  return c;
}

TEST_CASE("transformer learner: settings") {
  Settings s = small();
  s.smoothing = "words";
  CHECK(Settings::from_json(s.to_json()).to_json() == s.to_json());
  check_throws([] { Settings::from_json("{\"hedas\":4}"); }, {"[transformer]", "hedas"});
  check_throws([] { transformer::settings_for("letters"); }, {"letters", "dates, copy, multi30k"});
  check_throws([] { transformer::settings_for("copy", "huge"); }, {"huge", "toy, tiny, base"});
  const Settings tiny = transformer::settings_for("multi30k"), toy = transformer::settings_for("dates"),
                 base = transformer::settings_for("dates", "base");
  CHECK(tiny.width == 128);
  CHECK(tiny.source == "en");
  CHECK(toy.width == 64);
  CHECK(base.width == 512);
  CHECK(make_schedule(base)(3999) ==
        doctest::Approx(6.987712e-04).epsilon(2e-3));  // the paper's, golden value G6
  const auto apart = [](Settings s, Index steps) {
    fit_averages(s, steps);
    return s.average_every;
  };
  CHECK(apart(tiny, tiny.steps) == tiny.average_every);
  CHECK(apart(tiny, 400) == 6);  // 10 of them: the first is 54 updates before the end
  CHECK(apart(tiny, 5) == 1);
  CHECK(apart(toy, 8000) == toy.average_every);
  s.smoothing = "some";
  check_throws([&] { Learner learner(s); }, {"'some'", "all, others, words"});
}

TEST_CASE("transformer learner: a resumed run goes on bit for bit, the mean of its weights too") {
  Settings s = small();
  s.steps = 9;
  Learner whole(s, backwards(50, 1), backwards(10, 2)), first(s, backwards(50, 1));
  std::vector<double> costs;
  for (int i = 0; i < 9; ++i) costs.push_back(whole.step());
  for (int i = 0; i < 6; ++i) CHECK(first.step() == costs[static_cast<std::size_t>(i)]);
  CHECK(first.averaged() == 1);  // moments 5, 7 and 9
  const Checkpoint half = copied(first.checkpoint());
  Learner second(Settings::from_json(half.meta), backwards(50, 1));
  second.restore(half);
  for (int i = 6; i < 9; ++i) CHECK(second.step() == costs[static_cast<std::size_t>(i)]);
  CHECK(second.averaged() == 3);
  CHECK(second.epochs() == whole.epochs());
  CHECK(numbers(second.checkpoint().model) == numbers(whole.checkpoint().model));
  const auto mean = numbers(whole.checkpoint().extra, "average.");
  CHECK(mean.size() == numbers(whole.checkpoint().model).size());
  CHECK(numbers(second.checkpoint().extra, "average.") == mean);
}

TEST_CASE("transformer learner: the mean is of the last moments, and a longer run averages anew") {
  Settings s = small();
  s.steps = 9;
  Learner learner(s, backwards(50, 1), backwards(10, 2));
  std::vector<std::vector<float>> moments;
  while (learner.steps() < 9) {
    learner.step();
    if (learner.steps() >= 5 && learner.steps() % 2 == 1)
      moments.push_back(numbers(learner.checkpoint().model));
  }
  REQUIRE(moments.size() == 3);
  const std::vector<float> weights = numbers(learner.checkpoint().model);
  const double plain = learner.validate();
  learner.use_averages(true);
  learner.use_averages(true);  // once is enough
  const std::vector<float> used = numbers(learner.checkpoint().model);
  for (std::size_t i = 0; i < used.size(); ++i)
    CHECK(used[i] == doctest::Approx((moments[0][i] + moments[1][i] + moments[2][i]) / 3).epsilon(1e-4));
  CHECK(learner.validate() != plain);
  check_throws([&] { learner.step(); }, {"[transformer]", "use_averages(false)"});
  learner.use_averages(false);
  CHECK(numbers(learner.checkpoint().model) == weights);
  CHECK(learner.validate() == plain);

  s.steps = 13;
  Learner longer(s, backwards(50, 1));
  longer.restore(copied(learner.checkpoint()));
  CHECK(longer.averaged() == 3);
  for (int i = 0; i < 2; ++i) longer.step();  // 11 is the second of 9, 11 and 13
  CHECK(longer.averaged() == 1);
  CHECK(numbers(longer.checkpoint().extra, "average.") == numbers(longer.checkpoint().model));
}

TEST_CASE("transformer learner: learns to write backwards" * doctest::test_suite("long")) {
  Settings s = small();
  s.steps = 500;
  s.tokens = 400;
  s.dropout = 0;
  s.averages = 4;
  s.average_every = 10;
  const TokenPairs test = backwards(100, 3);
  Learner learner(s, backwards(400, 1), test, {{"text source", Tensor::from({1, 2}, {2})}});
  CHECK(learner.validate() > 1.5);  // ln 10 is 2.3
  while (learner.steps() < s.steps) learner.step();
  CHECK(learner.validate() < 0.2);
  const auto greedy = learner.translate(test.source);
  learner.use_averages(true);
  const auto beam = learner.translate(test.source, 4);
  learner.use_averages(false);
  int right = 0, right_beam = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    right += greedy[i].ids == test.target[i];
    right_beam += beam[i].ids == test.target[i];
    CHECK(learner.translate({test.source[i]})[0].ids == greedy[i].ids);  // alone as among others
  }
  CHECK(right >= 90);
  CHECK(right_beam >= 90);
  const auto looked = learner.look({4, 5, 6});
  CHECK(looked.written.ids == TokenIds{6, 5, 4});
  REQUIRE(looked.maps.size() == 4);
  for (const Tensor& map : looked.maps) {
    CHECK(map.shape() == Shape{4, 4});
    CHECK(difference(sum(map, 1), ones({4})) < 1e-5);
  }
  const auto self = learner.self_attention({4, 5, 6});
  REQUIRE(self.size() == 1);
  CHECK(self[0].shape() == Shape{4, 4, 4});
  CHECK(learner.checkpoint().extra.at(0).name == "text source");
}

TEST_CASE("transformer learner: bad input") {
  const Settings s = small();
  TokenPairs high = backwards(5, 1);
  high.source[3][0] = 10;
  check_throws([&] { Learner(s, high); },
               {"[transformer]", "training's source", "id 10", "vocabulary has 10"});
  check_throws([&] { Learner(s, backwards(5, 1), high); }, {"validation's source"});
  TokenPairs longer = backwards(5, 1);
  longer.target[2].resize(9, 8);
  check_throws([&] { Learner(s, longer); }, {"pair 2", "10 tokens"});
  Learner untaught(s);
  check_throws([&] { untaught.step(); }, {"no sentences to learn from"});
  check_throws([&] { untaught.validate(); }, {"no sentences to validate"});
  check_throws([&] { untaught.translate({{4}, {}}); }, {"empty"});
  check_throws([&] { untaught.translate({{11}}); }, {"id 11", "vocabulary of 10"});
  check_throws([&] { untaught.self_attention({-1}); }, {"id -1"});
}

}  // namespace
}  // namespace fovea::tests
