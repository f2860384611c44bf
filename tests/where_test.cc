#include "fovea/ops/where.h"

#include "fovea/ops/compare.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

Tensor mask_of(const Shape& shape) {
  Generator random(7);
  return cast(rand_bernoulli(shape, random, 0.5), DType::u8);
}

TEST_CASE("where") {
  const auto by = [](Shape mask) {
    return [mask](const Inputs& x) { return where(beside(x[0], mask_of(mask)), x[0], x[1]); };
  };
  const auto composed = [](Shape mask) {
    return [mask](const Inputs& x) {
      const Tensor m = cast(mask_of(mask), x[0].dtype());
      return m * x[0] + (1 - m) * x[1];
    };
  };
  const std::vector<std::vector<Shape>> shapes = {{{4, 5}, {4, 5}}, {{5}, {4, 5}}, {{4, 1}, {1, 5}},
                                                  {{}, {4, 5}},     {{1, 1}, {1}}, {{3, 4, 5}, {5}}};
  check({"where", "full mask", shapes, by({4, 5}), composed({4, 5})});
  check({"where", "a row of a mask", shapes, by({5}), composed({5})});
  check({"where", "nothing", {{{0, 3}, {3}}, {{1, 3}, {0, 1}}}, by({0, 1})});
  check({"where", "views", {{{5, 4}, {5, 4}}}, [](const Inputs& x) {
           return where(transpose(beside(x[0], mask_of({5, 4})), 0, 1), transpose(x[0], 0, 1),
                        transpose(x[1], 0, 1) * 2);
         }});
  for (const Device& device : devices()) {
    const Tensor m = to(Tensor::from(std::vector<std::uint8_t>{0, 1, 255}, {3}), device);
    const Tensor n = to(arange(3), device), one = to(full({}, 1, DType::bf16), device);
    CHECK(difference(where(m, n, n), arange(3)) == 0);
    CHECK(where(m, one, to(full({}, 2, DType::bf16), device)).at({2}) == 1);
  }
}

// Packs of elements with and without a rest, rows of packs, operands that are stretched or not aligned.
TEST_CASE("where: packs") {
  const auto by = [](Shape mask) {
    return [mask](const Inputs& x) { return where(beside(x[0], mask_of(mask)), x[0], x[1]); };
  };
  check({"where", "a rest", {{{3, 37}, {3, 37}}}, by({3, 37})});
  check({"where", "rows", {{{5, 16}, {16}}, {{5, 1}, {5, 16}}, {{1}, {5, 16}}}, by({16})});
  check({"where", "not aligned", {{{33}, {32}}}, [](const Inputs& x) {
           return where(beside(x[0], mask_of({32})), slice(x[0], 0, 1, to_end), x[1]);
         }});
  for (const Device& device : devices())
    for (const DType dtype : {DType::bf16, DType::i32, DType::u8})
      for (const Shape& shape : {Shape{3, 37}, Shape{5, 48}}) {
        Generator random(3);
        const Tensor x = cast(rand_int(shape, random, 0, 9), dtype), y = cast(zeros({}), dtype);
        const Tensor m = mask_of({shape.back()}), kept = where(to(m, device), to(x, device), to(y, device));
        CHECK(difference(kept, cast(x, DType::f32) * cast(m, DType::f32)) == 0);
        CHECK(difference(masked_fill(to(x, device), to(equal(m, 0), device), 0), kept) == 0);
      }
}

TEST_CASE("masked_fill") {
  const std::vector<std::vector<Shape>> shapes = {{{4, 5}}, {{3, 4, 5}}, {{4, 1}}, {{2, 4, 0}}};
  check({"masked_fill", "", shapes,
         [](const Inputs& x) {
           const Shape& s = x[0].shape();
           return masked_fill(x[0], beside(x[0], mask_of({4, s.back()})), -3);
         },
         [](const Inputs& x) {
           const Tensor m = mask_of({4, x[0].shape().back()});
           return where(m, full({}, -3, x[0].dtype()), x[0]);
         }});
  const double inf = std::numeric_limits<double>::infinity();
  for (const Device& device : devices()) {
    const Tensor m = to(ones({2}, DType::u8), device);
    CHECK(masked_fill(to(zeros({2}), device), m, -inf).at({1}) == -inf);
    CHECK(masked_fill(to(zeros({2}, DType::i32), device), slice(m, 0, 0, 1), 7).at({1}) == 7);
  }
}

TEST_CASE("where: bad input") {
  const Tensor x = Tensor::empty({2, 3}), m = Tensor::empty({2, 3}, DType::u8);
  check_throws([&] { where(x, x, x); }, {"[where]", "u8", "f32"});
  check_throws([&] { where(m, x, Tensor::empty({2, 3}, DType::f64)); }, {"[where]", "f32", "f64", "cast"});
  check_throws([&] { where(m, x, Tensor::empty({4})); }, {"[where]", "(2,3)", "(4)"});
  check_throws(
      [&] {
        masked_fill(x, Tensor::empty({4, 2, 3}, DType::u8), 0);
      },
      {"[masked_fill]", "(4,2,3)", "(2,3)"});
  check_throws([&] { masked_fill(x, x, 0); }, {"[masked_fill]", "u8", "f32"});
}

}  // namespace
}  // namespace fovea::tests
