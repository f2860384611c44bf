#include "fovea/models/ntm/ntm.h"

#include <cmath>
#include <filesystem>

#include "fovea/core/memory.h"
#include "fovea/core/tape.h"
#include "fovea/models/ntm/learner.h"
#include "fovea/ops/create.h"
#include "fovea/ops/softmax.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

using namespace fovea::ntm;
using ntm::Learner;

Settings small(const std::string& task = "copy") {
  Settings s = settings_for(task, "ntm", "default");
  s.controller_size = 16;
  s.memory_rows = 12;
  s.memory_width = 5;
  s.lstm_size = 8;
  s.batch_size = 2;
  s.steps = 100;
  return s;
}

TEST_CASE("ntm: every task, controller, start and kind of heads makes an update and an answer") {
  for (const std::string& task : task_names())
    for (const char* controller : {"lstm", "feedforward"})
      for (const char* start : {"constant", "learned", "random"})
        for (const char* heads : {"tanh", "linear"}) {
          Settings s = small(task);
          s.controller = controller;
          s.start = start;
          s.heads = heads;
          s.controller_layers = 2;
          s.read_heads = 2;
          s.write_heads = 3;
          INFO(s.to_json());
          Learner learner(s);
          CHECK(std::isfinite(learner.step()));
          Generator random(1);
          const Episode e = learner.task().draw(2, random);
          CHECK(learner.answer(e).shape() == Shape{e.scored, 2, learner.task().outputs()});
          s.model = "lstm";
          CHECK(std::isfinite(Learner(s).step()));
        }
}

TEST_CASE("ntm: parameters of the copy task's machine, as the reference sheet counts them") {
  Generator random(1);
  Ntm model({.inputs = 9, .outputs = 8}, random);
  // 62,660 with two LSTM biases, and what a sequence starts with: h and c 200, reads 20, weightings 2 x 128
  CHECK(parameter_count(model) == 62660 + 200 + 20 + 256);
}

TEST_CASE("ntm: focus puts the first weightings on row 0") {
  Settings s = small();
  s.focus = 8;
  for (const NamedTensor& t : Learner(s).checkpoint().model)
    if (t.name == "read_weights" || t.name == "write_weights") {
      CHECK(softmax(t.tensor).at({0, 0}) > 0.95);
      s.focus = 0;
    }
  CHECK(s.focus == 0);  // they were seen
}

TEST_CASE("ntm: gradients of a whole machine against differences") {
  Settings s = small();
  Learner learner(s);
  Generator random(3), init(5);
  Ntm model({.inputs = 9, .outputs = 8, .controller_size = 6, .rows = 7, .width = 4}, init);
  const Episode e = learner.task().draw(2, random, {3, 0});
  const auto cost = [&] {
    Pause pause;
    return Learner::cost(model.forward(e.input, e.scored), e).item<double>();
  };
  {
    Tape tape;
    tape.backward(Learner::cost(model.forward(e.input, e.scored), e));
  }
  double worst = 0;
  int checked = 0;
  for (NamedParameter& p : named_parameters(model)) {
    // The steepest element of each parameter: float allows no more than this.
    const Tensor g = p.parameter.grad();
    Index at = 0;
    for (Index i = 0; i < g.numel(); ++i)
      if (std::abs(g.data<float>()[i]) > std::abs(g.data<float>()[at])) at = i;
    if (std::abs(g.data<float>()[at]) < 1e-2f) continue;
    const double h = 1e-2;
    float* x = p.parameter.mutable_data<float>() + at;
    const float before = *x;
    *x = static_cast<float>(before + h);
    const double up = cost();
    *x = static_cast<float>(before - h);
    const double down = cost();
    *x = before;
    const double numeric = (up - down) / (2 * h), analytic = g.data<float>()[at];
    worst = std::max(worst, std::abs(numeric - analytic) / std::max(0.1, std::abs(numeric)));
    ++checked;
  }
  CHECK(checked >= 8);
  CHECK(worst < 0.02);
}

TEST_CASE("ntm: it learns one episode by heart") {
  Generator random(3), init(5);
  Ntm model({.inputs = 9, .outputs = 8, .controller_size = 20, .rows = 12, .width = 6}, init);
  const Episode e = make_task("copy")->draw(1, random, {4, 0});
  Adam optimizer(flatten(model), {.lr = 1e-2});
  double first = 0, last = 0;
  for (int i = 0; i < 100; ++i) {
    Tape tape;
    const Tensor cost = Learner::cost(model.forward(e.input, e.scored), e);
    (i == 0 ? first : last) = cost.item<double>();
    tape.backward(cost);
    optimizer.step();
  }
  CHECK(last < 0.2 * first);
}

TEST_CASE("ntm: the same seed gives the same weights, and a checkpoint goes on bit for bit") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "fovea_ntm_test";
  Learner whole(small()), half(small());
  for (int i = 0; i < 6; ++i) whole.step();
  for (int i = 0; i < 3; ++i) half.step();
  save_checkpoint(folder, half.checkpoint());
  const Checkpoint c = load_checkpoint(folder);
  Learner rest(Settings::from_json(c.meta));
  rest.restore(c);
  CHECK(rest.steps() == 3);
  for (int i = 0; i < 3; ++i) rest.step();
  const Checkpoint a = whole.checkpoint(), b = rest.checkpoint();
  REQUIRE(a.model.size() == b.model.size());
  for (std::size_t i = 0; i < a.model.size(); ++i) {
    CHECK(a.model[i].name == b.model[i].name);
    CHECK(difference(a.model[i].tensor, b.model[i].tensor) == 0);
  }
  CHECK(a.generators.at("data") == b.generators.at("data"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("ntm: a thousand updates hold no memory") {
  Settings s = small();
  s.batch_size = 1;
  Learner learner(s);
  std::size_t held = 0;
  for (int i = 0; i < 1000; ++i) {
    learner.step();
    if (i == 300) held = memory_stats().allocated;  // by then every length has occurred
  }
  CHECK(memory_stats().allocated == held);
}

TEST_CASE("ntm: a bad number stops the run before the weights are touched") {
  Learner learner(small());
  learner.step();
  Checkpoint c = learner.checkpoint();
  Tensor weight = c.model[0].tensor;
  const float before = weight.data<float>()[1];
  const_cast<float*>(weight.data<float>())[0] = std::nanf("");
  check_throws([&] { learner.step(); }, {"step 2", "weight_ih_l0", "not finite"});
  CHECK(weight.data<float>()[1] == before);
}

TEST_CASE("ntm tasks: copy") {
  Generator random(1);
  const auto task = make_task("copy");
  const Episode e = task->draw(3, random, {4, 0});
  CHECK(e.input.shape() == Shape{9, 3, 9});
  for (Index b = 0; b < 3; ++b) {
    CHECK(e.input.at({4, b, 8}) == 1);
    for (Index t = 0; t < 4; ++t)
      for (Index i = 0; i < 8; ++i) {
        CHECK(e.target.at({5 + t, b, i}) == e.input.at({t, b, i}));
        CHECK(e.input.at({5 + t, b, i}) == 0);
      }
  }
  bool longest = false, shortest = false;
  for (int i = 0; i < 400; ++i) {
    const Index L = task->draw(1, random).scored;
    CHECK(L >= 1);
    CHECK(L <= 20);
    longest |= L == 20;
    shortest |= L == 1;
  }
  CHECK(longest);
  CHECK(shortest);
}

TEST_CASE("ntm tasks: repeat copy ends with its marker, and the count has mean 0 and variance 1") {
  Generator random(1);
  const auto task = make_task("repeat-copy");
  const Episode e = task->draw(1, random, {3, 4});
  CHECK(e.scored == 13);
  CHECK(e.input.at({3, 0, 8}) == 1);
  CHECK(e.target.at({e.target.size(0) - 1, 0, 8}) == 1);
  for (Index r = 0; r < 4; ++r)
    for (Index t = 0; t < 3; ++t)
      for (Index i = 0; i < 8; ++i) CHECK(e.target.at({5 + r * 3 + t, 0, i}) == e.input.at({t, 0, i}));
  double sum = 0, squares = 0;
  for (Index R = 1; R <= 10; ++R) {
    const double x = task->draw(1, random, {2, R}).input.at({3, 0, 9});
    sum += x;
    squares += x * x;
  }
  CHECK(std::abs(sum) < 1e-5);
  CHECK(squares / 10 == doctest::Approx(1));
}

TEST_CASE("ntm tasks: recall asks for the item after the one shown") {
  Generator random(1);
  const auto task = make_task("recall");
  for (int n = 0; n < 50; ++n) {
    const Episode e = task->draw(1, random);
    const Index T = e.input.size(0), query = T - 3 - 5, items = query / 4;
    CHECK(items >= 2);
    CHECK(items <= 6);
    CHECK(e.input.at({query, 0, 7}) == 1);
    CHECK(e.input.at({query + 4, 0, 7}) == 1);
    bool found = false;
    for (Index item = 0; item + 1 < items; ++item) {
      bool same = true;
      for (Index t = 0; t < 3; ++t)
        for (Index i = 0; i < 6; ++i) {
          same &= e.input.at({item * 4 + 1 + t, 0, i}) == e.input.at({query + 1 + t, 0, i});
          same &= e.input.at({item * 4 + 5 + t, 0, i}) == e.target.at({T - 3 + t, 0, i});
        }
      found |= same;
    }
    CHECK(found);
  }
  check_throws([&] { task->draw(1, random, {1, 0}); }, {"[recall]", "2 items"});
}

TEST_CASE("ntm tasks: sort gives the sixteen of highest priority, in order") {
  Generator random(1);
  const Episode e = make_task("sort")->draw(1, random);
  CHECK(e.scored == 16);
  double last = 2;
  for (Index t = 0; t < 16; ++t) {
    double priority = -2;  // of the input vector that stands here
    for (Index s = 0; s < 20; ++s) {
      bool same = true;
      for (Index i = 0; i < 8; ++i) same &= e.input.at({s, 0, i}) == e.target.at({21 + t, 0, i});
      if (same) priority = std::max(priority, e.input.at({s, 0, 8}) < last ? e.input.at({s, 0, 8}) : -2.0);
    }
    CHECK(priority > -2);
    CHECK(priority < last);
    last = priority;
  }
}

TEST_CASE("ntm tasks: N-grams, and what the best predictor pays") {
  Generator random(1);
  const auto task = make_task("ngrams");
  double bits = 0;
  const int n = 3000;
  for (int i = 0; i < n / 10; ++i)
    for (double b : task->optimal_bits(task->draw(10, random))) bits += b / n;
  CHECK(bits ==
        doctest::Approx(133.25).epsilon(0.015));  // 35.9 bits of deviation a sequence: 0.66 of the mean
  const Episode e = task->draw(1, random);
  for (Index t = 0; t + 1 < 200; ++t) CHECK(e.input.at({t + 1, 0, 0}) == e.target.at({t, 0, 0}));
}

TEST_CASE("ntm: in f64 it is the same machine with more digits") {
  for (const char* model : {"ntm", "lstm"})
    for (const char* start : {"constant", "learned", "random"}) {
      Settings s = small();
      s.model = model;
      s.start = start;
      s.focus = 2;
      Learner f32(s);
      s.dtype = "f64";
      Learner f64(s);
      for (const NamedTensor& t : f64.checkpoint().model) CHECK(t.tensor.dtype() == DType::f64);
      for (int i = 0; i < 3; ++i) {
        const double a = f32.step(), b = f64.step();
        CHECK(a == doctest::Approx(b).epsilon(1e-4));
        CHECK(a != b);
      }
      CHECK(f32.evaluate(3, {}, 1).bits == doctest::Approx(f64.evaluate(3, {}, 1).bits).epsilon(1e-4));
    }
}

TEST_CASE("ntm: bad settings") {
  check_throws([] { make_task("copi"); }, {"'copi'", "repeat-copy"});
  check_throws([] { settings_for("copy", "ntm", "fast"); }, {"'fast'", "paper"});
  check_throws([] { Settings::from_json("{\"tusk\": \"copy\"}"); }, {"unknown field tusk"});
  check_throws([] { Settings::from_json("{"); }, {"cannot be read"});
  Settings s = small();
  s.start = "hot";
  check_throws([&] { Learner learner(s); }, {"'hot'", "constant, learned, random"});
  s = small();
  s.dtype = "bf16";
  check_throws([&] { Learner learner(s); }, {"'bf16' is not a type", "f32, f64"});
  s = small();
  s.memory_rows = 2;
  check_throws([&] { Learner learner(s); }, {"[Ntm]", "shifts", "2 rows"});
  const Settings paper = settings_for("sort", "ntm", "paper");
  CHECK(Settings::from_json(paper.to_json()).to_json() == paper.to_json());
  CHECK(paper.read_heads == 5);
  CHECK(paper.lr == 3e-5);
}

}  // namespace
}  // namespace fovea::tests
