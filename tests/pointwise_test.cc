#include "fovea/ops/pointwise.h"

#include "fovea/kernels/pointwise.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// On a GPU a thread takes packs of elements, some threads two, and a few the rest: 1303 has all of these.
const std::vector<std::vector<Shape>> one = {{{5}}, {{2, 3, 7}}, {{1}}, {{0, 3}}, {{1303}}};
const std::vector<std::vector<Shape>> two = {{{5}, {5}},        {{2, 3, 7}, {2, 3, 7}}, {{4, 1, 3}, {2, 1}},
                                             {{3}, {1}},        {{1, 1}, {7, 5}},       {{0, 3}, {1, 3}},
                                             {{2, 300}, {300}}, {{5, 8}, {5, 1}},       {{3, 9}, {1}}};
const std::vector<std::vector<Shape>> three = {
    {{5}, {5}, {5}}, {{2, 3}, {3}, {2, 1}}, {{7, 1}, {1, 9}, {1}}, {{3, 8}, {8}, {3, 1}}};

void unary(const char* name, Tensor (*f)(const Tensor&), double lo, double hi, bool extremes = true) {
  check({name, "", one, [f](const Inputs& x) { return f(x[0]); }, nullptr, lo, hi, 1e-6, 2e-5, extremes});
}
void binary(const char* name, Tensor (*f)(const Tensor&, const Tensor&), double lo, double hi,
            bool extremes = true) {
  check(
      {name, "", two, [f](const Inputs& x) { return f(x[0], x[1]); }, nullptr, lo, hi, 1e-6, 2e-5, extremes});
}

TEST_CASE("pointwise: one input") {
  unary("neg", neg, -2, 2);
  unary("reciprocal", reciprocal, 0.5, 2);
  unary("square", square, -2, 2);
  unary("abs", abs, -2, 2);
  unary("exp", exp, -2, 2, false);   // e^1000 is infinite, and so is its slope
  unary("log", log, 0.5, 2, false);  // of a negative number: NaN
  unary("sqrt", sqrt, 0.5, 2, false);
  unary("rsqrt", rsqrt, 0.5, 2, false);
  unary("sin", sin, -2, 2);
  unary("cos", cos, -2, 2);
  unary("tanh", tanh, -2, 2);
  unary("sigmoid", sigmoid, -2, 2);
  unary("relu", relu, -2, 2);
  unary("silu", silu, -2, 2);
  unary("gelu", gelu, -2, 2);
  unary("gelu_tanh", gelu_tanh, -2, 2);
  unary("softplus", softplus, -2, 2);
  unary("erf", erf, -2, 2);
}

TEST_CASE("pointwise: one input and numbers") {
  check({"affine", "", one, [](const Inputs& x) { return affine(x[0], 2.5, -1); }});
  check({"clamp", "", one, [](const Inputs& x) { return clamp(x[0], -0.7, 1.1); }});
  check({"pow", "plain exponent", one, [](const Inputs& x) { return pow(x[0], 2.5); }, nullptr, 0.5, 2, 1e-6,
         2e-5, false});
  check({"leaky_relu", "", one, [](const Inputs& x) { return leaky_relu(x[0], 0.2); }});
  check({"elu", "", one, [](const Inputs& x) { return elu(x[0], 1.5); }});
}

TEST_CASE("pointwise: two inputs") {
  binary("add", add, -2, 2);
  binary("sub", sub, -2, 2);
  binary("mul", mul, -2, 2);
  binary("div", div, 0.5, 2);
  binary("maximum", maximum, -2, 2);
  binary("minimum", minimum, -2, 2);
  binary("pow", pow, 0.5, 2, false);
}

TEST_CASE("pointwise: fused chains") {
  check({"lerp", "", three, [](const Inputs& x) { return lerp(x[0], x[1], x[2]); },
         [](const Inputs& x) { return x[0] + x[2] * (x[1] - x[0]); }});
  check({"mul_add", "", three, [](const Inputs& x) { return mul_add(x[0], x[1], x[2]); },
         [](const Inputs& x) { return x[0] * x[1] + x[2]; }});
}

TEST_CASE("pointwise: views that start anywhere, of any strides") {
  const auto middle = [](const Tensor& x, Index from) { return slice(x, -1, from, from + 9); };
  check({"sigmoid", "not aligned", {{{11}}}, [=](const Inputs& x) { return sigmoid(middle(x[0], 1)); }});
  check({"mul", "one not aligned", {{{11}, {9}}}, [=](const Inputs& x) { return middle(x[0], 1) * x[1]; }});
  check({"mul", "rows with gaps", {{{3, 12}, {3, 9}}}, [=](const Inputs& x) {
           return middle(x[0], 0) * x[1];
         }});
  check({"mul", "rows of packs with gaps", {{{3, 12}, {3, 8}}}, [=](const Inputs& x) {
           return slice(x[0], 1, 4, 12) * x[1];
         }});
  check({"mul", "rows that are not aligned", {{{3, 10}, {3, 8}}}, [=](const Inputs& x) {
           return slice(x[0], 1, 0, 8) * x[1];
         }});
  check({"mul", "transposed", {{{8, 4}, {4, 8}}}, [=](const Inputs& x) {
           return transpose(x[0], 0, 1) * x[1];
         }});
}

TEST_CASE("pointwise: every struct of the list has a row above") {
  // The rows are written out because the public functions have different parameters; this catches a struct
  // forgotten.
  CHECK(std::tuple_size_v<pointwise::List> == 32);
}

TEST_CASE("pointwise: bad input") {
  check_throws(
      [] {
        add(Tensor::empty({2, 3}), Tensor::empty({4}));
      },
      {"[add]", "(2,3)", "(4)", "broadcast"});
  check_throws([] { mul(Tensor::empty({2}), Tensor::empty({2}, DType::f64)); },
               {"[mul]", "f32", "f64", "cast"});
  check_throws([] { exp(Tensor::empty({2}, DType::i32)); }, {"f32 or f64", "i32"});
  check_throws([] { exp(Tensor()); }, {"undefined"});
  check_throws([] { clamp(Tensor::empty({2}), 1, 0); }, {"[clamp]", "low 1"});
}

TEST_CASE("pointwise: strided views") {
  Tensor x = draw({4, 6}, DType::f32, -1, 1, 3);
  const Tensor t = x.view({6, 4}, {1, 6}, 0);  // transposed
  const Tensor y = sigmoid(t);
  CHECK(y.contiguous());
  CHECK(y.at({5, 2}) == doctest::Approx(1 / (1 + std::exp(-x.at({2, 5})))));
}

}  // namespace
}  // namespace fovea::tests
