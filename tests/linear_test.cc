#include "fovea/ops/linear.h"

#include <cmath>
#include <limits>
#include <string>

#include "fovea/ops/create.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

TEST_CASE("linear: gradients, with its composition") {
  check({"linear",
         "with bias",
         {{{2, 3}, {4, 3}, {4}},
          {{1, 5}, {7, 5}, {7}},
          {{2, 3, 5}, {1, 5}, {1}},
          {{5}, {2, 5}, {2}},
          {{0, 3}, {2, 3}, {2}},
          {{200, 3}, {2, 3}, {2}}},
         [](const Inputs& x) { return linear(x[0], x[1], x[2]); },
         [](const Inputs& x) {
           const Index in = x[1].size(1), rows = x[0].numel() / in;
           return reshape(matmul(reshape(x[0], {rows, in}), transpose(x[1], 0, 1)) + x[2],
                          x[0].shape().replaced(x[0].rank() - 1, x[1].size(0)));
         }});
  check({"linear",
         "without bias",
         {{{2, 3}, {4, 3}}, {{1, 1}, {1, 1}}, {{3, 33}, {17, 33}}},
         [](const Inputs& x) { return linear(x[0], x[1]); }});
}

TEST_CASE("linear: what follows it in the same op") {
  constexpr std::pair<const char*, Activation> activations[] = {
      {"relu", Activation::relu}, {"gelu", Activation::gelu}, {"gelu_tanh", Activation::gelu_tanh}};
  const auto after = [](Activation activation, const Tensor& u) {
    return activation == Activation::relu ? relu(u) : activation == Activation::gelu ? gelu(u) : gelu_tanh(u);
  };
  for (const auto& [name, activation] : activations) {
    const std::string bare = std::string(name) + " without bias";
    check({"linear",
           name,
           {{{2, 3}, {4, 3}, {4}}, {{2, 3, 5}, {8, 5}, {8}}, {{0, 3}, {2, 3}, {2}}, {{70, 9}, {16, 9}, {16}}},
           [=](const Inputs& x) { return linear(x[0], x[1], x[2], activation); },
           [=](const Inputs& x) { return after(activation, linear(x[0], x[1], x[2])); }});
    check({"linear",
           bare.c_str(),
           {{{2, 3}, {4, 3}}, {{9, 5}, {8, 5}}},
           [=](const Inputs& x) { return linear(x[0], x[1], {}, activation); },
           [=](const Inputs& x) { return after(activation, linear(x[0], x[1])); }});
  }
}

TEST_CASE("linear: what is no number stays none behind an activation") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Device device : devices()) {
    const Tensor x = to(Tensor::from({nan, 1, 2, 3}, {2, 2}), device), w = to(ones({8, 2}), device);
    for (const Activation a : {Activation::relu, Activation::gelu, Activation::gelu_tanh}) {
      const Tensor y = to(linear(x, w, to(zeros({8}), device), a), Cpu());
      CHECK(std::isnan(y.at({0, 3})));
      CHECK(y.at({1, 3}) > 4.9);
    }
  }
}

TEST_CASE("linear: no inputs leave the bias, and strided operands are read as they lie") {
  const Tensor b = Tensor::from({1, 2}, {2});
  CHECK(linear(zeros({3, 0}), zeros({2, 0}), b).at({2, 1}) == 2);
  const Tensor wide = Tensor::from({1, 9, 2, 9}, {2, 2}), w = draw({3, 2}, DType::f32, -1, 1, 1),
               x = ones({4, 3});
  CHECK(difference(linear(x, transpose(w, 0, 1), select(wide, 1, 0)),
                   linear(x, clone(transpose(w, 0, 1)), b)) == 0);
}

TEST_CASE("linear: bad input") {
  check_throws([] { linear(zeros({2, 3}), zeros({4, 5})); }, {"[linear]", "(2,3)", "(4,5)"});
  check_throws([] { linear(zeros({2, 3}), zeros({4, 3}), zeros({3})); }, {"[linear]", "bias", "4 outputs"});
  check_throws([] { linear(zeros({2, 3}), zeros({4, 3}, DType::f64)); }, {"[linear]", "f32", "f64"});
}

}  // namespace
}  // namespace fovea::tests
