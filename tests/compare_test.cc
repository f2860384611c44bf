#include "fovea/ops/compare.h"

#include <limits>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytes(const Tensor& x) {
  const Tensor host = to(x, Cpu{});
  const auto v = host.values<std::uint8_t>();
  return {v.begin(), v.end()};
}

TEST_CASE("compare: two tensors") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Device& device : devices()) {
    CAPTURE(device);
    for (DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      const Tensor x = to(cast(Tensor::from(std::vector<double>{1, 2, 3, nan}, {4}), dtype), device);
      const Tensor y = to(cast(Tensor::from(std::vector<double>{2, 2, 2, nan}, {4}), dtype), device);
      CHECK(bytes(less(x, y)) == Bytes{1, 0, 0, 0});
      CHECK(bytes(less_equal(x, y)) == Bytes{1, 1, 0, 0});
      CHECK(bytes(greater(x, y)) == Bytes{0, 0, 1, 0});
      CHECK(bytes(greater_equal(x, y)) == Bytes{0, 1, 1, 0});
      CHECK(bytes(equal(x, y)) == Bytes{0, 1, 0, 0});
      CHECK(bytes(not_equal(x, y)) == Bytes{1, 0, 1, 1});
    }
    // Broadcasting and views: j < i.
    const Tensor row = to(arange(3), device), column = reshape(row, {3, 1});
    CHECK(bytes(less(row, column)) == Bytes{0, 0, 0, 1, 0, 0, 1, 1, 0});
    const Tensor x = to(Tensor::from({1, 2, 3, 4, 5, 6}, {2, 3}), device);
    const Tensor y = to(Tensor::from({2, 4}, {2}), device);
    CHECK(bytes(greater(transpose(x, 0, 1), y)) == Bytes{0, 0, 0, 1, 1, 1});
  }
  CHECK(less(Tensor::empty({0, 3}), Tensor::empty({1})).shape() == Shape{0, 3});
}

TEST_CASE("compare: a tensor and a number") {
  for (const Device& device : devices()) {
    CAPTURE(device);
    const Tensor x = to(Tensor::from({0.1f, 0.2f, 0.3f}, {3}), device);
    CHECK(bytes(equal(x, 0.1)) == Bytes{1, 0, 0});  // 0.1 is rounded to f32 first
    CHECK(bytes(not_equal(x, 0.2)) == Bytes{1, 0, 1});
    CHECK(bytes(less(x, 0.2)) == Bytes{1, 0, 0});
    CHECK(bytes(less_equal(x, 0.2)) == Bytes{1, 1, 0});
    CHECK(bytes(greater(x, 0.2)) == Bytes{0, 0, 1});
    CHECK(bytes(greater_equal(x, 0.2)) == Bytes{0, 1, 1});
    CHECK(bytes(greater(to(arange(3), device), 0.5)) == Bytes{0, 1, 1});
    CHECK(bytes(less(to(arange(3, DType::u8), device), 1000)) == Bytes{1, 1, 1});
  }
}

TEST_CASE("compare: logic") {
  for (const Device& device : devices()) {
    CAPTURE(device);
    const Tensor x = to(Tensor::from(Bytes{0, 0, 2, 1}, {4}), device);
    const Tensor y = to(Tensor::from(Bytes{0, 1, 0, 4}, {4}), device);
    CHECK(bytes(logical_not(x)) == Bytes{1, 1, 0, 0});
    CHECK(bytes(logical_and(x, y)) == Bytes{0, 0, 0, 1});
    CHECK(bytes(logical_or(x, y)) == Bytes{0, 1, 1, 1});
    CHECK(bytes(logical_xor(x, y)) == Bytes{0, 1, 1, 0});
  }
}

using Pairs = Tensor (*)(const Tensor&, const Tensor&);
using WithNumber = Tensor (*)(const Tensor&, double);

// Packs of elements with and without a rest, rows of packs, operands that are stretched or not aligned.
TEST_CASE("compare: every device finds the same of many elements") {
  const auto whole = [](const Shape& shape, DType dtype, unsigned seed) {
    Generator random(seed);  // few values, so that some are equal
    return cast(rand_int(shape, random, 0, 4), dtype);
  };
  for (const auto& [a, b] : std::vector<std::pair<Shape, Shape>>{
           {{3, 37}, {3, 37}}, {{5, 48}, {48}}, {{5, 48}, {5, 1}}, {{9}, {1}}})
    for (const Device& device : devices())
      for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::i32, DType::u8}) {
        CAPTURE(dtype);
        const Tensor x = whole(a, dtype, 1), y = whole(b, dtype, 2), p = to(x, device), q = to(y, device);
        for (const Pairs f : {Pairs(less), Pairs(less_equal), Pairs(greater), Pairs(greater_equal),
                              Pairs(equal), Pairs(not_equal)}) {
          CHECK(bytes(f(p, q)) == bytes(f(x, y)));
          CHECK(bytes(f(slice(p, -1, 1, to_end), q.view({}, {}, 0))) ==
                bytes(f(slice(x, -1, 1, to_end), y.view({}, {}, 0))));
        }
        for (const WithNumber f : {WithNumber(less), WithNumber(less_equal), WithNumber(greater),
                                   WithNumber(greater_equal), WithNumber(equal), WithNumber(not_equal)})
          CHECK(bytes(f(p, 2)) == bytes(f(x, 2)));
        if (dtype != DType::u8) continue;
        for (const auto f : {logical_and, logical_or, logical_xor}) CHECK(bytes(f(p, q)) == bytes(f(x, y)));
      }
}

TEST_CASE("compare: results are not tracked") {
  Tape tape;
  const Tensor x = tape.watch(draw({3}, DType::f32, -1, 1, 1));
  CHECK_FALSE(less(x, x).tracked());
  CHECK_FALSE(greater(x, 0).tracked());
  CHECK(tape.size() == 0);
}

TEST_CASE("compare: bad input") {
  const Tensor x = Tensor::empty({2, 3});
  check_throws([&] { less(x, Tensor::empty({4})); }, {"[less]", "(2,3)", "(4)"});
  check_throws([&] { equal(x, Tensor::empty({3}, DType::i32)); }, {"[equal]", "f32", "i32", "cast"});
  check_throws([&] { logical_not(x); }, {"[logical_not]", "u8", "f32"});
  check_throws([&] { logical_and(x, x); }, {"[logical_and]", "u8", "f32"});
  check_throws([&] { greater(Tensor(), 1); }, {"undefined"});
}

}  // namespace
}  // namespace fovea::tests
