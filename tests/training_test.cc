// Clipping, checks of finiteness, averages of weights, metrics.
#include <cmath>
#include <limits>

#include "fovea/models/training/average.h"
#include "fovea/models/training/clip.h"
#include "fovea/models/training/learner.h"
#include "fovea/models/training/metrics.h"
#include "fovea/models/training/optimizer.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/golden.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

struct Two {
  Parameter w{zeros({5, 3}, DType::f64)}, b{zeros({4}, DType::f64)};
  void each(Visitor& v) {
    v("w", w);
    v("b", b);
  }
};

TEST_CASE("clip: by norm, as PyTorch's") {
  const NpzFile file = golden("optimizers.npz");
  for (const char* limit : {"0.5", "1e+06"}) {
    Two two;
    const FlatParameters flat = flatten(two);
    assign(two.w.grad(), select(file.get("gradient/w"), 0, 0));
    assign(two.b.grad(), select(file.get("gradient/b"), 0, 0));
    const std::string name = cat("clip_norm_", limit);
    CHECK(clip_by_norm(flat, std::stod(limit)).item<double>() ==
          doctest::Approx(file.get(name + "/norm").item<double>()));
    CHECK(difference(two.w.grad(), file.get(name + "/w")) <= 1e-12);
    CHECK(difference(two.b.grad(), file.get(name + "/b")) <= 1e-12);
  }
}

TEST_CASE("clip: by value, scaling, large and bad numbers") {
  for (const Device& device : devices()) {
    CAPTURE(device);
    Parameter p(to(zeros({7}), device));
    const FlatParameters flat = flatten({{"p", p}});
    const auto set = [&](const Tensor& g) { assign(p.grad(), to(g, device)); };
    const float inf = std::numeric_limits<float>::infinity();
    set(Tensor::from({-inf, -3, -1, 0, 0.5, 2, inf}, {7}));
    clip_by_value(flat, 1);
    CHECK(difference(p.grad(), Tensor::from({-1, -1, -1, 0, 0.5, 1, 1}, {7})) == 0);
    scale_gradients(flat, 0.25);
    CHECK(difference(p.grad(), Tensor::from({-0.25, -0.25, -0.25, 0, 0.125, 0.25, 0.25}, {7})) == 0);
    set(full({7}, 1e30));  // squares overflow a float
    CHECK(clip_by_norm(flat, 1).item<double>() == doctest::Approx(1e30 * std::sqrt(7)));
    CHECK(gradient_norm(flat).item<double>() == doctest::Approx(1));
    set(Tensor::from({1, 2, inf, 4, 5, 6, 7}, {7}));
    CHECK(std::isinf(clip_by_norm(flat, 1).item<double>()));
    CHECK(p.grad().at({0}) == 1);
    Parameter many(to(draw({100003}, DType::f32, -1, 1, 1), device));
    const FlatParameters large = flatten({{"many", many}});
    assign(many.grad(), many);
    CHECK(gradient_norm(large).item<double>() ==
          doctest::Approx(norm(draw({100003}, DType::f32, -1, 1, 1)).item<double>()).epsilon(1e-6));
  }
  const FlatParameters flat = flatten({{"p", Parameter(zeros({7}))}});
  check_throws([&] { clip_by_value(flat, -1); }, {"limit is -1"});
  check_throws([&] { clip_by_norm(flat, std::nan("")); }, {"max_norm is nan"});
}

TEST_CASE("check_finite names step and tensor") {
  Two two;
  const FlatParameters flat = flatten(two);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  check_finite(3, 1.5, flat);
  check_throws([&] { check_finite(3, nan, flat); }, {"[check_finite]", "step 3", "loss is nan"});
  Tensor gradient = two.b.grad();
  gradient.mutable_data<double>()[2] = std::numeric_limits<double>::infinity();
  check_throws([&] { check_finite(17, 1.5, flat); }, {"step 17", "gradient of 'b'", "element 2"});
  check_throws([&] { check_finite(17, 1.5, flat, clip_by_norm(flat, 1).item<double>()); },
               {"step 17", "gradient of 'b'"});
  two.w.mutable_data<double>()[4] = nan;
  check_throws([&] { check_finite(18, nan, flat); }, {"step 18", "'w' (5,3)", "value", "element 4"});
}

// Learns one number, which its batches say.
class One : public Learner {
 public:
  explicit One(const TrainingSettings& s) : Learner(s) { start(model_); }
  std::string settings_json() const override { return "{}"; }
  std::vector<NamedTensor> tensors() override { return named_tensors(model_); }
  const Tensor& weights() { return model_.w; }
  double next = 3;

 private:
  struct Model {
    Parameter w{zeros({2})};
    void each(Visitor& v) { v("w", w); }
  };
  Batch draw() override { return {full({2}, next)}; }
  Tensor cost(const Batch& batch) override { return mean(square(model_.w - batch[0])); }
  void load(const std::vector<NamedTensor>&) override {}
  Model model_;
};

TEST_CASE("learner: an update that is not finite changes nothing, and the next is made") {
  for (const Device& device : devices())
    for (const double clip_norm : {0., 0.5}) {
      CAPTURE(device);
      TrainingSettings s{.lr = 0.1, .clip_norm = clip_norm};
      s.device = device;
      One learner(s), smooth(s);
      for (int i = 0; i < 5; ++i) {
        CHECK(learner.step() == smooth.step());
        const Tensor before = clone(learner.weights());
        learner.next = std::numeric_limits<double>::infinity();
        check_throws([&] { learner.step(); }, {"[check_finite]", cat("step ", i + 2), "not finite"});
        learner.next = smooth.next;
        CHECK(learner.steps() == i + 1);
        CHECK(difference(learner.weights(), before) == 0);
      }
      CHECK(difference(learner.weights(), smooth.weights()) == 0);
      CHECK(norm(to(learner.weights(), Cpu{})).item() > 0.1);
    }
}

TEST_CASE("average: follows") {
  for (const Device& device : devices()) {
    Parameter p(to(full({3}, 1, DType::f64), device));
    AverageWeights average(flatten({{"p", p}}), 0.75);
    assign(p, to(full({3}, 5, DType::f64), device));
    average.update();
    CHECK(average.state()[0].tensor.at({1}) == 2);
  }
}

TEST_CASE("average: swaps, saves") {
  Parameter p(full({3}, 1, DType::f64));
  const FlatParameters flat = flatten({{"p", p}});
  AverageWeights average(flat, 0.75);
  assign(p, full({3}, 5, DType::f64));
  average.update();
  average.swap();
  CHECK(p.at({1}) == 2);
  check_throws([&] { average.update(); }, {"swap() back"});
  average.swap();
  CHECK(p.at({1}) == 5);
  AverageWeights other(flat, 0.75);
  other.load_state(average.state());
  other.update();
  CHECK(other.state()[0].tensor.at({2}) == 2.75);
  check_throws([&] { other.load_state({}); }, {"missing: p"});
}

TEST_CASE("average: the plain mean of some moments") {
  Parameter p(full({3}, 100, DType::f64));
  const FlatParameters flat = flatten({{"p", p}});
  AverageWeights average(flat, AverageWeights::equal);
  const auto take = [&](AverageWeights& a, double value) {
    assign(p, full({3}, value, DType::f64));
    a.update();
  };
  take(average, 1);
  CHECK(average.state()[0].tensor.at({1}) == 1);  // what it held before does not count
  take(average, 2);
  AverageWeights other(flat, AverageWeights::equal);
  other.load_state(average.state());
  other.set_count(average.count());
  take(other, 6);
  CHECK(other.state()[0].tensor.at({2}) == doctest::Approx(3));
  CHECK(other.count() == 3);
  other.set_count(0);
  take(other, 7);
  CHECK(other.state()[0].tensor.at({0}) == 7);
  check_throws([&] { AverageWeights(flat, 1.5); }, {"decay is 1.5", "plain mean"});
}

TEST_CASE("metrics: means") {
  Mean mean;
  CHECK(std::isnan(mean.value()));
  mean.add(1, 3);
  mean.add(5);
  CHECK(mean.value() == 2);
  WindowMean window{.length = 2};
  for (double v : {1., 2., 4.}) window.add(v);
  CHECK(window.value() == 3);
  DecayingMean decaying{.decay = 0.5};
  decaying.add(4);
  CHECK(decaying.value() == 4);
  decaying.add(1);
  CHECK(decaying.value() == doctest::Approx(2));
}

}  // namespace
}  // namespace fovea::tests
