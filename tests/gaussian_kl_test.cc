#include "fovea/ops/gaussian_kl.h"

#include <cmath>

#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

Tensor composed(const Tensor& mu, const Tensor& s) {
  return sum(0.5 * (square(mu) + exp(2 * s) - 2 * s - 1), -1);
}

TEST_CASE("gaussian_kl: rows") {
  check({"gaussian_kl",
         "",
         {{{5}, {5}},
          {{2, 3, 7}, {2, 3, 7}},
          {{1}, {1}},
          {{0, 3}, {0, 3}},
          {{3, 0}, {3, 0}},
          {{2, 300}, {2, 300}},
          {{70, 65}, {70, 65}}},
         [](const Inputs& x) { return gaussian_kl(x[0], x[1]); },
         [](const Inputs& x) { return composed(x[0], x[1]); }});
  check({"gaussian_kl",
         "x and x",
         {{{2, 5}}},
         [](const Inputs& x) { return gaussian_kl(x[0], x[0]); },
         [](const Inputs& x) { return composed(x[0], x[0]); }});
}

TEST_CASE("gaussian_kl: golden values") {
  const std::vector<double> mu{0.5, -1}, log_sigma{std::log(0.5), 0.1};
  CHECK(gaussian_kl(Tensor::from(mu, {2}), Tensor::from(log_sigma, {2})).item<double>() ==
        doctest::Approx(0.953849).epsilon(1e-6));
  CHECK(gaussian_kl(zeros({3}), zeros({3})).item() == 0);
}

TEST_CASE("gaussian_kl: bad input") {
  check_throws(
      [] {
        gaussian_kl(Tensor::empty({2, 3}), Tensor::empty({3}));
      },
      {"[gaussian_kl]", "(2,3)", "(3)"});
  check_throws([] { gaussian_kl(Tensor::empty({2}), Tensor::empty({2}, DType::f64)); },
               {"f32", "f64", "cast"});
}

}  // namespace
}  // namespace fovea::tests
