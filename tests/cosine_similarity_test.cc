#include "fovea/ops/cosine_similarity.h"

#include <cmath>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

Tensor composed(const Tensor& u, const Tensor& v, int dim, double eps) {
  const auto length = [&](const Tensor& t) { return sqrt(sum(square(t), dim, true) + eps * eps); };
  return sum(u * v / (length(u) * length(v)), dim);
}

void row(const char* variant, int dim, const std::vector<std::vector<Shape>>& shapes, double eps = 1e-8) {
  check({"cosine_similarity", variant, shapes,
         [=](const Inputs& x) { return cosine_similarity(x[0], x[1], dim, eps); },
         [=](const Inputs& x) { return composed(x[0], x[1], dim, eps); }});
}

TEST_CASE("cosine_similarity: rows") {
  row("last dimension", -1,
      {{{5}, {5}},
       {{2, 3, 7}, {2, 3, 7}},
       {{1}, {1}},
       {{0, 3}, {0, 3}},
       {{3, 0}, {3, 0}},
       {{2, 300}, {2, 300}},
       {{130, 67}, {130, 67}}});
  row("broadcast", -1,
      {{{2, 7, 3}, {2, 1, 3}},
       {{4, 3}, {3}},
       {{3}, {4, 3}},
       {{2, 1, 7, 3}, {2, 4, 1, 3}},
       {{1, 3}, {4, 3}},
       {{0, 3}, {1, 3}},
       {{50, 40, 9}, {50, 1, 9}},
       {{1, 5, 3}, {4, 1, 3}}});
  row("other dimension", -2,
      {{{2, 3, 7}, {2, 3, 7}}, {{2, 3, 7}, {2, 3, 1}}, {{2, 3, 7}, {3, 1}}, {{4, 1}, {4, 1}}});
  row("large eps", -1, {{{4, 3}, {4, 3}}}, 0.5);
  check({"cosine_similarity",
         "x and x",
         {{{4, 3}}},
         [](const Inputs& x) { return cosine_similarity(x[0], x[0], -1, 0.5); },
         [](const Inputs& x) { return composed(x[0], x[0], -1, 0.5); }});
}

TEST_CASE("cosine_similarity: NTM golden values") {
  // models.md G1: five rows and a key, eps = 1e-8
  const Tensor rows = Tensor::from({1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1}, {5, 3});
  const Tensor k = cosine_similarity(rows, Tensor::from({0.9f, 0.1f, 0}, {3}));
  const double expected[] = {0.993884, 0.110432, 0, 0.780869, 0.078087};
  for (Index i = 0; i < 5; ++i) CHECK(k.at({i}) == doctest::Approx(expected[i]).epsilon(1e-5));
}

TEST_CASE("cosine_similarity: zero vectors") {
  for (DType dtype : {DType::f32, DType::f64}) {
    Tape tape;
    const Tensor u = tape.watch(zeros({2, 3}, dtype)),
                 v = tape.watch(cast(Tensor::from({0, 0, 0, 1, 2, 2}, {2, 3}), dtype));
    const Tensor k = cosine_similarity(u, v);
    CHECK(k.at({0}) == 0);
    CHECK(k.at({1}) == 0);
    tape.backward(k, {.seed = ones({2}, dtype)});
    for (const Tensor& x : {u, v})
      for (Index i = 0; i < 2; ++i)
        for (Index j = 0; j < 3; ++j) CHECK(std::isfinite(tape.gradient(x).at({i, j})));
    CHECK(tape.gradient(u).at({1, 0}) == doctest::Approx(1e8 / 3));
    CHECK(tape.gradient(v).at({1, 0}) == 0);
  }
}

TEST_CASE("cosine_similarity: bad input") {
  check_throws(
      [] {
        cosine_similarity(Tensor::empty({2, 3}), Tensor::empty({2, 4}));
      },
      {"[cosine_similarity]", "(2,3)", "(2,4)"});
  check_throws(
      [] {
        cosine_similarity(Tensor::empty({2, 3}), Tensor::empty({2, 1}));
      },
      {"(2,3)", "(2,1)", "same size"});
  check_throws(
      [] {
        cosine_similarity(Tensor::empty({2, 3}), Tensor::empty({3}), 0);
      },
      {"(2,3)", "(3)", "dimension 0"});
  check_throws([] { cosine_similarity(Tensor::empty({2}), Tensor::empty({2}, DType::f64)); },
               {"f32", "f64", "cast"});
  check_throws([] { cosine_similarity(Tensor::empty({2}), Tensor::empty({2}), -1, 0); }, {"eps"});
}

}  // namespace
}  // namespace fovea::tests
