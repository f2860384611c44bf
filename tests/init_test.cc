#include "fovea/models/layers/init.h"

#include <cmath>

#include "fovea/ops/create.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

double deviation(const Tensor& t) { return std::sqrt(var(t).item<double>()); }
double largest(const Tensor& t) {
  return std::max(std::abs(max(t).item<double>()), std::abs(min(t).item<double>()));
}

TEST_CASE("init: spread and bounds") {
  Generator random(1);
  Tensor w = zeros({200, 50, 2}, DType::f64);  // fan_in 100, fan_out 400
  CHECK(init::fans(w).in == 100);
  CHECK(init::fans(w).out == 400);
  init::constant(w, 0.25);
  CHECK(mean(w).item<double>() == 0.25);
  CHECK(deviation(w) == 0);
  init::uniform(w, random, -3, 1);
  CHECK(mean(w).item<double>() == doctest::Approx(-1).epsilon(0.03));
  CHECK(largest(w) <= 3);
  init::normal(w, random, 2, 0.5);
  CHECK(mean(w).item<double>() == doctest::Approx(2).epsilon(0.01));
  CHECK(deviation(w) == doctest::Approx(0.5).epsilon(0.02));
  init::truncated_normal(w, random, 0, 0.5);
  CHECK(largest(w) <= 1);
  CHECK(deviation(w) == doctest::Approx(0.5 * 0.8796).epsilon(0.02));
  init::xavier_uniform(w, random, 1.4);
  CHECK(largest(w) <= 1.4 * std::sqrt(6. / 500));
  CHECK(largest(w) > 1.39 * std::sqrt(6. / 500));
  init::xavier_normal(w, random);
  CHECK(deviation(w) == doctest::Approx(std::sqrt(2. / 500)).epsilon(0.02));
  init::kaiming_uniform(w, random, std::sqrt(5));
  CHECK(largest(w) <= 0.1);
  CHECK(largest(w) > 0.0995);
  init::kaiming_normal(w, random, 0, init::Fan::out);
  CHECK(deviation(w) == doctest::Approx(std::sqrt(2. / 400)).epsilon(0.02));
  check_throws([&] { init::xavier_uniform(zeros({3}), random); }, {"[init]", "(3)"});
}

TEST_CASE("init: orthogonal") {
  Generator random(2);
  for (const Shape& shape : {Shape{5, 9}, Shape{9, 5}, Shape{6, 6}, Shape{4, 3, 2}, Shape{1, 1}}) {
    Tensor w = zeros(shape, DType::f64);
    init::orthogonal(w, random, 2);
    const Tensor m = reshape(w, {shape[0], -1}), t = transpose(m, 0, 1);
    const Tensor product = m.size(0) <= m.size(1) ? matmul(m, t) : matmul(t, m);
    for (Index i = 0; i < product.size(0); ++i)
      for (Index j = 0; j < product.size(0); ++j)
        CHECK(product.at({i, j}) == doctest::Approx(i == j ? 4 : 0).epsilon(1e-12));
  }
}

TEST_CASE("init: the same seed, the same values") {
  Tensor a = zeros({7, 3}), b = zeros({7, 3});
  for (Tensor* t : {&a, &b}) {
    Generator random(9);
    init::xavier_uniform(*t, random);
  }
  CHECK(difference(a, b) == 0);
}

}  // namespace
}  // namespace fovea::tests
