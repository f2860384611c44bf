#include "fovea/models/layers/batch_norm2d.h"

#include <cmath>

#include "fovea/core/tape.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

constexpr double eps = 1e-2;  // small batches may have a variance near 0, which magnifies rounding

Tensor per_channel(const Tensor& p) { return reshape(p, {p.numel(), 1, 1}); }

Tensor normalised(const Tensor& x, const Tensor& mean, const Tensor& var) {
  return (x - mean) * rsqrt(var + eps);
}
Tensor by_batch(const Tensor& x) {
  return normalised(x, mean(x, {0, 2, 3}, true), var(x, {0, 2, 3}, true, 0));
}

Tensor train(const Tensor& x, const Tensor& w, const Tensor& b) {
  return batch_norm2d(x, w, b, {}, {}, {.training = true, .eps = eps});
}

const std::vector<Shape> images = {{4, 3, 2, 5}, {1, 2, 3, 3}, {5, 1, 1, 1}, {2, 2, 17, 19}, {3, 0, 2, 2}};

std::vector<std::vector<Shape>> with_parameters(int count) {
  std::vector<std::vector<Shape>> out;
  for (const Shape& s : images) {
    out.push_back({s});
    for (int i = 0; i < count; ++i) out.back().push_back({s[1]});
  }
  return out;
}

TEST_CASE("batch_norm2d: rows in training") {
  check({"batch_norm2d", "weight and bias", with_parameters(2),
         [](const Inputs& x) { return train(x[0], x[1], x[2]); },
         [](const Inputs& x) { return by_batch(x[0]) * per_channel(x[1]) + per_channel(x[2]); }});
  check({"batch_norm2d", "plain", with_parameters(0), [](const Inputs& x) { return train(x[0], {}, {}); },
         [](const Inputs& x) { return by_batch(x[0]); }});
  check({"batch_norm2d", "weight", with_parameters(1), [](const Inputs& x) { return train(x[0], x[1], {}); },
         [](const Inputs& x) { return by_batch(x[0]) * per_channel(x[1]); }});
  check({"batch_norm2d", "bias", with_parameters(1), [](const Inputs& x) { return train(x[0], {}, x[1]); },
         [](const Inputs& x) { return by_batch(x[0]) + per_channel(x[1]); }});
  check({"batch_norm2d", "no images", {{{0, 2, 3, 3}, {2}, {2}}}, [](const Inputs& x) {
           return train(x[0], x[1], x[2]);
         }});
}

TEST_CASE("batch_norm2d: rows in evaluation") {
  const auto running = [](const Tensor& x, double low, double high, unsigned seed) {
    return beside(x, cast(draw({x.size(1)}, DType::f32, low, high, seed), x.dtype()));
  };
  auto shapes = with_parameters(2);
  shapes.push_back({{1, 2, 1, 1}, {2}, {2}});
  shapes.push_back({{0, 2, 3, 3}, {2}, {2}});
  check({"batch_norm2d", "evaluation", shapes,
         [=](const Inputs& x) {
           return batch_norm2d(x[0], x[1], x[2], running(x[0], -1, 1, 5), running(x[0], 0.5, 2, 6),
                               {.eps = eps});
         },
         [=](const Inputs& x) {
           const Tensor m = per_channel(running(x[0], -1, 1, 5)), v = per_channel(running(x[0], 0.5, 2, 6));
           return normalised(x[0], m, v) * per_channel(x[1]) + per_channel(x[2]);
         }});
}

TEST_CASE("batch_norm2d: mean 0 and variance 1 far from 0") {
  const Tensor y =
      batch_norm2d(draw({8, 2, 9, 9}, DType::f32, 9999, 10001, 1), {}, {}, {}, {}, {.training = true});
  CHECK(difference(mean(y, {0, 2, 3}), zeros({2})) < 1e-3);
  CHECK(difference(var(y, {0, 2, 3}, false, 0), ones({2})) < 2e-3);
}

TEST_CASE("batch_norm2d: the running statistics") {
  const Tensor x = draw({3, 2, 4, 5}, DType::f64, -1, 3, 2);
  const Tensor m = draw({2}, DType::f64, -1, 1, 3), v = draw({2}, DType::f64, 1, 2, 4);
  const Tensor want_m = m * 0.7 + mean(x, {0, 2, 3}) * 0.3, want_v = v * 0.7 + var(x, {0, 2, 3}) * 0.3;
  for (const Device& device : devices()) {
    const Tensor its_m = to(clone(m), device), its_v = to(clone(v), device);
    batch_norm2d(to(x, device), {}, {}, its_m, its_v, {.training = true, .momentum = 0.3});
    CHECK(difference(its_m, want_m) < 1e-14);
    CHECK(difference(its_v, want_v) < 1e-14);
  }
  batch_norm2d(x, {}, {}, m, v, {.training = true, .momentum = 0.3});
  // Neither evaluation nor an empty batch changes them.
  batch_norm2d(x, {}, {}, m, v);
  batch_norm2d(Tensor::empty({0, 2, 4, 5}, DType::f64), {}, {}, m, v, {.training = true});
  CHECK(difference(m, want_m) < 1e-14);
  CHECK(difference(v, want_v) < 1e-14);
}

TEST_CASE("batch_norm2d: evaluation may be differentiated after the running statistics have moved on") {
  const Tensor m = zeros({1}), v = ones({1}), x = draw({2, 1, 2, 2}, DType::f32, -1, 1, 2);
  Tape tape;
  const Tensor watched = tape.watch(x);
  const Tensor y = batch_norm2d(watched, {}, {}, m, v);
  {
    Pause pause;
    batch_norm2d(x, {}, {}, m, v, {.training = true});
  }
  tape.backward(sum(y));
  CHECK(difference(tape.gradient(watched), full(x.shape(), 1)) < 1e-4);
}

TEST_CASE("batch_norm2d: bad input") {
  const auto run = [](const Shape& x, const Tensor& w, const Tensor& m, const Tensor& v,
                      BatchNorm2dOptions o) { return [=] { batch_norm2d(ones(x), w, {}, m, v, o); }; };
  const Tensor two = ones({2}), none;
  const BatchNorm2dOptions training{.training = true};
  check_throws(run({2, 3}, none, none, none, training), {"[batch_norm2d]", "[B,C,H,W]", "(2,3)"});
  check_throws(run({1, 2, 1, 1}, two, two, two, training), {"[batch_norm2d]", "(1,2,1,1)", "one element"});
  check_throws(run({2, 2, 3, 3}, ones({3}), two, two, training), {"weight", "(3)", "(2,2,3,3)", "(2)"});
  check_throws(run({2, 2, 3, 3}, two, two, ones({2}, DType::f64), training), {"running_var", "f64", "cast"});
  check_throws(run({2, 2, 3, 3}, two, two, none, training), {"running_mean and running_var", "neither"});
  check_throws(run({2, 2, 3, 3}, two, none, none, {}), {"running_mean and running_var", "outside training"});
  check_throws(run({2, 2, 3, 3}, two, two, two, {.eps = 0}), {"[batch_norm2d]", "eps"});
  check_throws(run({2, 2, 3, 3}, two, two, two, {.momentum = 2}), {"[batch_norm2d]", "momentum is 2"});
  const Tensor view = slice(ones({4}), 0, 0, 4, 2);
  check_throws(run({2, 2, 3, 3}, two, view, view, training), {"[batch_norm2d]", "running", "views"});
  check_throws(
      [] {
        batch_norm2d(ones({2, 2, 3, 3}, DType::i32), {}, {}, {}, {}, {.training = true});
      },
      {"[batch_norm2d]", "i32"});
}

TEST_CASE("BatchNorm2d: names, modes, counting") {
  BatchNorm2d layer({.features = 2});
  std::vector<std::string> names;
  for (const NamedTensor& t : named_tensors(layer)) names.push_back(t.name);
  CHECK(names ==
        std::vector<std::string>{"weight", "bias", "running_mean", "running_var", "num_batches_tracked"});
  CHECK(named_parameters(layer).size() == 2);
  const Tensor x = draw({4, 2, 3, 3}, DType::f32, 2, 5, 1);
  CHECK(difference(layer.forward(x), x * (1 / std::sqrt(1 + 1e-5))) < 1e-6);
  Generator random(1);
  training_mode(layer, random);
  const Tensor y = layer.forward(x);
  CHECK(difference(mean(y, {0, 2, 3}), zeros({2})) < 1e-5);
  CHECK(layer.num_batches_tracked.item<int>() == 1);
  CHECK(difference(layer.running_mean, mean(x, {0, 2, 3}) * 0.1) < 1e-6);
  evaluation_mode(layer);
  layer.forward(x);
  CHECK(layer.num_batches_tracked.item<int>() == 1);
  check_throws([] { BatchNorm2d({.features = 0}); }, {"[BatchNorm2d]", "features"});
}

}  // namespace
}  // namespace fovea::tests
