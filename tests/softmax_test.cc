#include "fovea/ops/softmax.h"

#include <cmath>
#include <limits>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// The last two use several threads and strips.
const std::vector<std::vector<Shape>> any = {{{5}},    {{2, 3, 7}}, {{1}},      {{0, 3}},
                                             {{3, 0}}, {{2, 300}},  {{67, 129}}};
const std::vector<std::vector<Shape>> three_dims = {
    {{2, 3, 7}}, {{1, 1, 1}}, {{2, 0, 3}}, {{3, 5, 70}}, {{2, 33, 129}}};

// 0 or 1 at random, with the first row of nothing but 0.
Tensor mask(const Shape& shape) {
  const Tensor u = draw(shape, DType::f32, -1, 1, 5);
  std::vector<std::uint8_t> keep;
  for (float v : u.values<float>()) keep.push_back(v > -0.3f);
  for (std::size_t i = 0; i < keep.size() && shape.rank() > 1 && i < static_cast<std::size_t>(shape.back());
       ++i)
    keep[i] = 0;
  return Tensor::from(keep, shape);
}

Function masked_oracle(const Shape& mask_shape, int dim) {
  return [mask_shape, dim](const Inputs& x) {
    const Tensor keep = cast(mask(mask_shape), DType::f64);
    const Tensor e = exp(x[0]) * keep, s = sum(e, dim, true);
    // 1 where nothing is kept, so that 0 is divided by 1 there
    Tensor none = zeros(s.shape(), DType::f64);
    double* v = none.mutable_data<double>();
    for (Index i = 0; i < none.numel(); ++i) v[i] = s.values<double>()[static_cast<std::size_t>(i)] == 0;
    return e / (s + none);
  };
}

TEST_CASE("softmax: rows") {
  for (int dim : {0, -1}) {
    check({"softmax", dim ? "last dimension" : "first dimension", any,
           [dim](const Inputs& x) { return softmax(x[0], dim); },
           [dim](const Inputs& x) { return exp(x[0] - logsumexp(x[0], dim, true)); }});
    check({"log_softmax", dim ? "last dimension" : "first dimension", any,
           [dim](const Inputs& x) { return log_softmax(x[0], dim); },
           [dim](const Inputs& x) { return x[0] - logsumexp(x[0], dim, true); }});
  }
  check({"softmax", "middle dimension", three_dims, [](const Inputs& x) { return softmax(x[0], 1); },
         [](const Inputs& x) { return exp(x[0] - logsumexp(x[0], 1, true)); }});
  check({"log_softmax", "middle dimension", three_dims, [](const Inputs& x) { return log_softmax(x[0], 1); },
         [](const Inputs& x) { return x[0] - logsumexp(x[0], 1, true); }});
}

TEST_CASE("masked_softmax: rows") {
  struct Case {
    const char* name;
    Shape x, mask;
    int dim;
  };
  for (const Case& c :
       {Case{"whole mask", {4, 7}, {4, 7}, -1}, Case{"one mask for all rows", {3, 9}, {9}, -1},
        Case{"a mask for each batch", {2, 3, 17}, {2, 1, 17}, -1},
        Case{"a mask for each query", {2, 3, 5, 17}, {5, 17}, -1},
        Case{"other dimension", {3, 6, 5}, {3, 6, 5}, 1}, Case{"rows masked", {4, 5}, {4, 1}, -1},
        Case{"threads", {60, 130}, {60, 130}, -1}, Case{"nothing", {0, 3}, {3}, -1}})
    check({"masked_softmax",
           c.name,
           {{c.x}},
           [&](const Inputs& x) { return masked_softmax(x[0], beside(x[0], mask(c.mask)), c.dim); },
           masked_oracle(c.mask, c.dim)});
}

TEST_CASE("masked_softmax: what is masked does not matter") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  Tape tape;
  const Tensor x = tape.watch(Tensor::from({1, nan, 1, nan, inf, -inf}, {2, 3}));
  const Tensor y = masked_softmax(x, Tensor::from(std::vector<std::uint8_t>{1, 0, 1, 0, 0, 0}, {2, 3}));
  for (auto [i, v] : {std::pair{0, 0.5f}, {1, 0.f}, {2, 0.5f}, {3, 0.f}, {4, 0.f}, {5, 0.f}})
    CHECK(y.values<float>()[static_cast<std::size_t>(i)] == v);
  tape.backward(y, {.seed = Tensor::from({1, 2, 3, 4, 5, 6}, {2, 3})});
  const Tensor dx = tape.gradient(x);
  CHECK(dx.at({0, 0}) == doctest::Approx(-0.5));
  CHECK(dx.at({0, 1}) == 0);
  for (Index j = 0; j < 3; ++j) CHECK(dx.at({1, j}) == 0);
}

// y of f(x) twice, which adds two gradients, and dx.
std::pair<Tensor, Tensor> twice(const Function& f, const Tensor& x) {
  Tape tape;
  const Tensor w = tape.watch(x), y = f({w}) + f({w});
  tape.backward(y, {.seed = beside(x, cast(draw(y.shape(), DType::f32, -1, 1, 7), x.dtype()))});
  return {y.detach(), tape.gradient(w)};
}

// Rows of which a warp or a block holds packs, rows that are taken element by element, and columns.
TEST_CASE("softmax: rows of any length on every device") {
  const auto masked = [](const Shape& m, int dim) -> Function {
    return [=](const Inputs& x) { return masked_softmax(x[0], beside(x[0], mask(m)), dim); };
  };
  for (const Index n : {1, 4, 132, 260, 516, 1025, 1028, 4100, 9000, 16388})
    for (const auto& [name, shape, f] : std::vector<std::tuple<const char*, Shape, Function>>{
             {"softmax", {3, n}, [](const Inputs& x) { return softmax(x[0]); }},
             {"log_softmax", {3, n}, [](const Inputs& x) { return log_softmax(x[0]); }},
             {"not aligned",
              {3 * n + 1},
              [n](const Inputs& x) {
                return softmax(reshape(slice(x[0], 0, 1, 3 * n + 1), {3, n}));
              }},
             {"columns", {n, 3}, [](const Inputs& x) { return softmax(x[0], 0); }},
             {"masked", {3, n}, masked({3, n}, -1)},
             {"one mask for all rows", {2, 2, n}, masked({n}, -1)},
             {"a mask for each batch", {2, 2, n}, masked({2, 1, n}, -1)},
             {"rows masked", {2, n}, masked({2, 1}, -1)},
             {"columns masked", {2, n, 3}, masked({n, 3}, 1)}}) {
      CAPTURE(name);
      CAPTURE(n);
      const Tensor x = draw(shape, DType::f32, -2, 2, 3);
      const auto [y, dx] = twice(f, cast(x, DType::f64));
      for (const Device& device : devices()) {
        const auto [narrow, dnarrow] = twice(f, to(x, device));
        CHECK(difference(narrow, y) < 1e-5);
        CHECK(difference(dnarrow, dx) < 1e-5);
      }
    }
}

TEST_CASE("softmax: a NaN is not hidden, and rows of -inf give 0") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(softmax(Tensor::from({1, nan, 2}, {3})).at({0})));
  CHECK(softmax(Tensor::from({-inf, -inf}, {2})).at({1}) == 0);
  CHECK(softmax(Tensor::from({-inf, 0}, {2})).at({1}) == 1);
}

TEST_CASE("softmax: strided views") {
  const Tensor x = draw({4, 6}, DType::f32, -1, 1, 3), t = x.view({6, 4}, {1, 6}, 0);
  CHECK(difference(softmax(t, 0), softmax(x, 1).view({6, 4}, {1, 6}, 0)) < 1e-6);
  const Tensor keep = mask({4, 6});
  CHECK(difference(masked_softmax(t, keep.view({6, 4}, {1, 6}, 0), 0),
                   masked_softmax(x, keep).view({6, 4}, {1, 6}, 0)) < 1e-6);
}

TEST_CASE("softmax: bad input") {
  check_throws([] { softmax(Tensor::empty({2, 3}), 2); }, {"[softmax]", "dimension 2", "(2,3)"});
  check_throws([] { log_softmax(Tensor::empty({2}, DType::i32)); }, {"[log_softmax]", "f32 or f64", "i32"});
  check_throws(
      [] {
        masked_softmax(Tensor::empty({2, 3}), Tensor::empty({2, 3}));
      },
      {"[masked_softmax]", "u8", "f32"});
  check_throws(
      [] {
        masked_softmax(Tensor::empty({3}), Tensor::empty({2, 3}, DType::u8));
      },
      {"[masked_softmax]", "(2,3)", "(3)", "expand"});
}

}  // namespace
}  // namespace fovea::tests
