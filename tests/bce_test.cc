#include "fovea/ops/bce.h"

#include <cmath>

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

TEST_CASE("bce_with_logits: rows") {
  for (auto [r, name] : reductions) {
    check({"bce_with_logits", name, shapes,
           [r = r](const Inputs& x) { return bce_with_logits(x[0], x[1], r); },
           [r = r](const Inputs& x) { return reduce(softplus(x[0]) - x[0] * x[1], r); }});
    for (const Shape& w : {Shape{4, 7}, Shape{7}, Shape{4, 1}}) {
      const auto weight = [w](const Inputs& x) {
        return beside(x[0], cast(draw(w, DType::f64, 0, 2, 9), x[0].dtype()));
      };
      check({"bce_with_logits",
             name,
             {{{4, 7}, {4, 7}}},
             [r = r, weight](const Inputs& x) { return bce_with_logits(x[0], x[1], r, weight(x)); },
             [r = r, weight](const Inputs& x) {
               return reduce(weight(x) * (softplus(x[0]) - x[0] * x[1]), r);
             }});
    }
  }
  check({"bce_with_logits",
         "x and x",
         {{{5}}},
         [](const Inputs& x) { return bce_with_logits(x[0], x[0]); },
         [](const Inputs& x) { return mean(softplus(x[0]) - x[0] * x[0]); }});
}

TEST_CASE("bce_with_logits: sure logits") {
  const Tensor x = Tensor::from({1000, -1000, 1000, -1000}, {4}), y = Tensor::from({1, 0, 0, 1}, {4});
  const Tensor l = bce_with_logits(x, y, Reduction::none);
  CHECK(l.at({0}) == 0);
  CHECK(l.at({1}) == 0);
  CHECK(l.at({2}) == 1000);
  CHECK(l.at({3}) == 1000);
  CHECK(bce_with_logits(zeros({3}), Tensor::from({0, 1, 0.5}, {3})).item() == doctest::Approx(std::log(2.0)));
}

TEST_CASE("bce_with_logits: bad input") {
  const Tensor x = Tensor::empty({2, 3});
  check_throws([&] { bce_with_logits(x, Tensor::empty({3})); },
               {"[bce_with_logits]", "(2,3)", "(3)", "expand"});
  check_throws([&] { bce_with_logits(x, Tensor::empty({2, 3}, DType::u8)); }, {"f32", "u8", "cast"});
  check_throws(
      [&] {
        bce_with_logits(x, x, Reduction::mean, Tensor::empty({4, 2, 3}));
      },
      {"[bce_with_logits]", "weight (4,2,3)", "(2,3)"});
  check_throws([&] { bce_with_logits(x, x, Reduction::mean, Tensor::empty({3}, DType::u8)); },
               {"weight", "u8", "cast"});
  Tape tape;
  check_throws([&] { bce_with_logits(x, x, Reduction::mean, tape.watch(x)); },
               {"weight", "gradient", "detach"});
}

}  // namespace
}  // namespace fovea::tests
