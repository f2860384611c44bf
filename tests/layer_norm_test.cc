#include "fovea/ops/layer_norm.h"

#include "fovea/core/tape.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

Tensor normalised(const Tensor& x, double eps) {
  const Tensor d = x - mean(x, -1, true);
  return d * rsqrt(mean(square(d), -1, true) + eps);
}

TEST_CASE("layer_norm: rows") {
  // Small rows may have a variance near 0, which magnifies rounding: eps is larger there.
  const std::vector<std::vector<Shape>> shapes = {{{5}, {5}, {5}},
                                                  {{2, 3, 7}, {7}, {7}},
                                                  {{1}, {1}, {1}},
                                                  {{0, 3}, {3}, {3}},
                                                  {{2, 1}, {1}, {1}},
                                                  {{2, 300}, {300}, {300}},
                                                  {{130, 67}, {67}, {67}},
                                                  {{3, 20}, {20}, {20}},
                                                  // a warp's packs, a block's, and a block's single elements
                                                  {{2, 1000}, {1000}, {1000}},
                                                  {{2, 1028}, {1028}, {1028}},
                                                  {{2, 1029}, {1029}, {1029}}};
  std::vector<std::vector<Shape>> x_only, two;
  for (const auto& s : shapes) {
    x_only.push_back({s[0]});
    two.push_back({s[0], s[1]});
  }
  x_only.push_back({{1, 16388}});  // more than a block keeps in registers
  check({"layer_norm", "weight and bias", shapes,
         [](const Inputs& x) { return layer_norm(x[0], x[1], x[2], 1e-3); },
         [](const Inputs& x) { return normalised(x[0], 1e-3) * x[1] + x[2]; }});
  check({"layer_norm", "plain", x_only, [](const Inputs& x) { return layer_norm(x[0], {}, {}, 1e-3); },
         [](const Inputs& x) { return normalised(x[0], 1e-3); }});
  check({"layer_norm", "weight", two, [](const Inputs& x) { return layer_norm(x[0], x[1], {}, 1e-3); },
         [](const Inputs& x) { return normalised(x[0], 1e-3) * x[1]; }});
  check({"layer_norm", "bias", two, [](const Inputs& x) { return layer_norm(x[0], {}, x[1], 1e-3); },
         [](const Inputs& x) { return normalised(x[0], 1e-3) + x[1]; }});
  check({"layer_norm", "one tensor as weight and bias", two,
         [](const Inputs& x) { return layer_norm(x[0], x[1], x[1], 1e-3); },
         [](const Inputs& x) { return normalised(x[0], 1e-3) * x[1] + x[1]; }});
}

TEST_CASE("layer_norm: rows that are not aligned") {
  const auto moved = [](const Tensor& x) { return reshape(slice(x, 0, 1, 25), {3, 8}); };
  check({"layer_norm",
         "not aligned",
         {{{25}, {8}, {8}}},
         [=](const Inputs& x) { return layer_norm(moved(x[0]), x[1], x[2], 1e-3); },
         [=](const Inputs& x) { return normalised(moved(x[0]), 1e-3) * x[1] + x[2]; }});
  check({"layer_norm", "weight not aligned", {{{3, 8}, {9}}}, [=](const Inputs& x) {
           return layer_norm(x[0], slice(x[1], 0, 1, 9), {}, 1e-3);
         }});
}

TEST_CASE("layer_norm: mean 0 and variance 1 far from 0") {
  const Tensor y = layer_norm(draw({64}, DType::f32, 99, 101, 1), {}, {});
  double m = 0, v = 0;
  for (float x : y.values<float>()) m += x, v += x * x;
  CHECK(m / 64 == doctest::Approx(0).epsilon(1e-3));
  CHECK(v / 64 == doctest::Approx(1).epsilon(1e-3));
}

TEST_CASE("layer_norm: bad input") {
  const Tensor x = Tensor::empty({2, 3});
  check_throws([&] { layer_norm(x, Tensor::empty({2}), {}); },
               {"[layer_norm]", "weight", "(2)", "(2,3)", "(3)"});
  check_throws([&] { layer_norm(x, {}, Tensor::empty({3}, DType::f64)); },
               {"[layer_norm]", "bias", "f64", "cast"});
  check_throws([&] { layer_norm(Tensor::empty({}), {}, {}); }, {"[layer_norm]", "dimension"});
  check_throws([&] { layer_norm(x, {}, {}, 0); }, {"[layer_norm]", "eps"});
}

}  // namespace
}  // namespace fovea::tests
