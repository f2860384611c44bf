#include "fovea/ops/positions.h"

#include <cmath>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// From the definition: x cos + (x with the numbers of each pair exchanged, the first negated) sin.
Tensor turned(const Tensor& x, const RotaryOptions& o) {
  const Index L = x.size(-2), D = x.size(-1);
  Tensor angle = zeros({L, D}, x.dtype());
  double* a = angle.mutable_data<double>();
  for (Index l = 0; l < L; ++l)
    for (Index d = 0; d < D; ++d) {
      const Index pair = o.interleaved ? d / 2 : d % (D / 2);
      a[l * D + d] = double(o.first + l) / std::pow(o.base, 2.0 * double(pair) / double(D));
    }
  Tensor swapped;
  if (o.interleaved) {
    const Tensor u = slice(x, -1, 0, to_end, 2), v = slice(x, -1, 1, to_end, 2);
    swapped = reshape(stack({-v, u}, -1), x.shape());
  } else {
    const auto part = split(x, 2, -1);
    swapped = concat({-part[1], part[0]}, -1);
  }
  angle = beside(x, angle);
  return x * cos(angle) + swapped * sin(angle);
}

TEST_CASE("positions: rows") {
  for (const RotaryOptions& o : {RotaryOptions{}, RotaryOptions{.first = 7}, RotaryOptions{.base = 100},
                                 RotaryOptions{.first = 3, .interleaved = true}})
    check({"rotary",
           o.interleaved ? "interleaved" : "halves",
           {{{3, 4}}, {{2, 3, 5, 8}}, {{1, 2}}, {{2, 0, 4}}, {{70, 34}}},
           [o](const Inputs& x) { return rotary(x[0], o); },
           [o](const Inputs& x) { return turned(x[0], o); }});
}

TEST_CASE("positions: scores of rotated rows depend on the distance alone") {
  const Tensor q = draw({1, 16}, DType::f64, -1, 1, 1), k = draw({1, 16}, DType::f64, -1, 1, 2);
  const auto score = [&](Index i, Index j) {
    return sum(rotary(q, {.first = i}) * rotary(k, {.first = j})).item<double>();
  };
  CHECK(score(5, 2) == doctest::Approx(score(103, 100)).epsilon(1e-12));
  CHECK(score(5, 2) != doctest::Approx(score(5, 3)).epsilon(1e-3));
}

TEST_CASE("positions: the table of the paper") {
  const double one[] = {0.841471, 0.540302, 0.099833, 0.995004, 0.010000, 0.999950, 0.001000, 1.000000},
               five[] = {-0.958924, 0.283662, 0.479426, 0.877583, 0.049979, 0.998750, 0.005000, 0.999988};
  const Tensor y = sinusoidal_positions(6, 8), late = sinusoidal_positions(1, 8, DType::f64, 5);
  for (Index d = 0; d < 8; ++d) {
    CHECK(y.at({0, d}) == d % 2);
    CHECK(std::abs(y.at({1, d}) - one[d]) <= 1e-6);
    CHECK(std::abs(y.at({5, d}) - five[d]) <= 1e-6);
    CHECK(std::abs(late.at({0, d}) - five[d]) <= 5e-7);
  }
  for (const Device& device : devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Index dim : {1, 7, 130})
        CHECK(difference(to(sinusoidal_positions(70, dim, dtype, 5, device), Cpu{}),
                         sinusoidal_positions(70, dim, dtype, 5)) <= (dtype == DType::f64 ? 1e-12 : 1e-6));
  CHECK(sinusoidal_positions(2, 3).at({1, 2}) == doctest::Approx(std::sin(std::pow(10000, -2.0 / 3))));
}

TEST_CASE("positions: bad input") {
  check_throws([] { rotary(zeros({3, 5})); }, {"[rotary]", "(3,5)", "even"});
  check_throws([] { rotary(zeros({4})); }, {"[rotary]", "[..,L,D]"});
  check_throws([] { rotary(zeros({3, 4}), {.base = 0}); }, {"[rotary]", "base"});
  check_throws([] { sinusoidal_positions(-1, 4); }, {"[sinusoidal_positions]", "-1"});
}

}  // namespace
}  // namespace fovea::tests
