#include "fovea/ops/regression_loss.h"

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

const std::vector<std::vector<Shape>> shapes = {
    {{5}, {5}},       {{2, 3, 7}, {2, 3, 7}}, {{1}, {1}},          {{}, {}},
    {{0, 3}, {0, 3}}, {{300}, {300}},         {{5, 101}, {5, 101}}};
const std::pair<Reduction, const char*> reductions[] = {
    {Reduction::mean, "mean"}, {Reduction::sum, "sum"}, {Reduction::none, "none"}};

Tensor reduce(const Tensor& l, Reduction r) {
  if (r == Reduction::none) return l;
  return sum(l) * (r == Reduction::mean && l.numel() > 0 ? 1 / static_cast<double>(l.numel()) : 1);
}

void rows(const char* op, Tensor (*loss)(const Tensor&, const Tensor&, Reduction),
          Tensor (*element)(const Tensor&)) {
  for (auto [r, name] : reductions)
    check({op, name, shapes, [loss, r = r](const Inputs& x) { return loss(x[0], x[1], r); },
           [element, r = r](const Inputs& x) { return reduce(element(x[0] - x[1]), r); }});
}

TEST_CASE("regression_loss: rows") {
  rows("mse_loss", mse_loss, square);
  rows("l1_loss", l1_loss, abs);
  rows(
      "huber_loss", [](const Tensor& x, const Tensor& y, Reduction r) { return huber_loss(x, y, 0.7, r); },
      [](const Tensor& d) {
        const Tensor a = abs(d), m = clamp(a, 0, 0.7);
        return m * (a - m * 0.5);
      });
}

TEST_CASE("regression_loss: both arguments one tensor") {
  check({"mse_loss",
         "x and x",
         {{{5}}},
         [](const Inputs& x) { return mse_loss(x[0], x[0], Reduction::sum); },
         [](const Inputs& x) { return sum(square(x[0] - x[0])); }});
}

TEST_CASE("regression_loss: many elements") {
  // Above the grain, where threads share the work.
  const Tensor x = draw({100003}, DType::f32, -1, 1, 1), y = draw({100003}, DType::f32, -1, 1, 2);
  const Tensor wide = mean(square(cast(x, DType::f64) - cast(y, DType::f64)));
  CHECK(difference(mse_loss(x, y), wide) < 1e-6);
  Tape tape;
  const Tensor w = tape.watch(x);
  tape.backward(mse_loss(w, y, Reduction::sum));
  CHECK(difference(tape.gradient(w), 2 * (x - y)) < 1e-6);
}

TEST_CASE("regression_loss: the mean of nothing is 0") {
  CHECK(mse_loss(Tensor::empty({0}), Tensor::empty({0})).item() == 0);
}

TEST_CASE("regression_loss: bad input") {
  check_throws(
      [] {
        mse_loss(Tensor::empty({2, 3}), Tensor::empty({3}));
      },
      {"[mse_loss]", "(2,3)", "(3)", "expand"});
  check_throws([] { l1_loss(Tensor::empty({2}), Tensor::empty({2}, DType::f64)); },
               {"[l1_loss]", "f32", "f64", "cast"});
  check_throws([] { huber_loss(Tensor::empty({2}), Tensor::empty({2}), 0); }, {"[huber_loss]", "delta"});
}

}  // namespace
}  // namespace fovea::tests
