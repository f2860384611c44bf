#include "fovea/ops/circular_convolution.h"

#include "fovea/ops/pad.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

Tensor composed(const Tensor& w, const Tensor& s) {
  const Index shifts = s.shape().back();
  Tensor y;
  for (Index t = 0; t < shifts; ++t) {
    const Tensor part = roll(w, t - (shifts - 1) / 2, -1) * slice(s, -1, t, t + 1);
    y = t == 0 ? part : y + part;
  }
  return y;
}

TEST_CASE("circular_convolution: rows") {
  check({"circular_convolution",
         "",
         {{{5}, {3}},
          {{1}, {1}},
          {{3}, {3}},
          {{4, 7}, {4, 5}},
          {{2, 3, 9}, {2, 3, 1}},
          {{0, 5}, {0, 3}},
          {{2, 128}, {2, 3}},
          {{200, 67}, {200, 3}},
          {{2, 1100}, {2, 5}}},
         [](const Inputs& x) { return circular_convolution(x[0], x[1]); },
         [](const Inputs& x) { return composed(x[0], x[1]); }});
  check({"circular_convolution",
         "w and w",
         {{{2, 5}}},
         [](const Inputs& x) { return circular_convolution(x[0], x[0]); },
         [](const Inputs& x) { return composed(x[0], x[0]); }});
}

TEST_CASE("circular_convolution: a shift of +1 moves mass to the next row") {
  const Tensor s = Tensor::from({0, 0, 1}, {3});
  const Tensor next = circular_convolution(Tensor::from({0, 0, 1, 0, 0}, {5}), s);
  const Tensor around = circular_convolution(Tensor::from({0, 0, 0, 0, 1}, {5}), s);
  for (Index i = 0; i < 5; ++i) {
    CHECK(next.at({i}) == (i == 3 ? 1 : 0));
    CHECK(around.at({i}) == (i == 0 ? 1 : 0));
  }
  // models.md G1
  const double expected[] = {0.106169, 0.388211, 0.082573, 0.248123, 0.174923};
  const Tensor y =
      circular_convolution(Tensor::from({0.509468f, 0.006148f, 0.303539f, 0.175615f, 0.005230f}, {5}),
                           Tensor::from({0.1f, 0.2f, 0.7f}, {3}));
  for (Index i = 0; i < 5; ++i) CHECK(y.at({i}) == doctest::Approx(expected[i]).epsilon(1e-5));
}

TEST_CASE("circular_convolution: bad input") {
  constexpr auto op = "[circular_convolution]";
  check_throws([] { circular_convolution(Tensor::empty({5}), Tensor::empty({2})); }, {op, "(2)", "odd"});
  check_throws([] { circular_convolution(Tensor::empty({3}), Tensor::empty({5})); },
               {op, "(5)", "(3)", "at most"});
  check_throws(
      [] {
        circular_convolution(Tensor::empty({2, 5}), Tensor::empty({3, 3}));
      },
      {op, "(2,5)", "(3,3)"});
  check_throws([] { circular_convolution(Tensor::empty({5}), Tensor::empty({3}, DType::f64)); },
               {op, "cast"});
}

}  // namespace
}  // namespace fovea::tests
