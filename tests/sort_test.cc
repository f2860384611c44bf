#include "fovea/ops/sort.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fovea/core/tape.h"
#include "fovea/ops/compare.h"
#include "fovea/ops/create.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "fovea/ops/where.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

const std::vector<std::vector<Shape>> cubes = {
    {{2, 3, 4}}, {{5, 1, 7}}, {{1, 1, 1}}, {{3, 2, 0}}, {{0, 2, 3}}};

TEST_CASE("sort") {
  for (int dim : {0, 1, -1}) {
    check({"sort", "ascending", cubes, [dim](const Inputs& x) { return sort(x[0], dim).values; },
           [dim](const Inputs& x) { return gather(x[0], dim, sort(x[0], dim).indices); }});
    check({"sort", "descending", cubes, [dim](const Inputs& x) { return sort(x[0], dim, true).values; }});
  }
  check({"sort", "of a view", {{{3, 5}}}, [](const Inputs& x) {
           return sort(transpose(x[0], 0, 1), 0).values;
         }});
  check({"top_k",
         "",
         {{{2, 3}}, {{5, 40}}, {{2, 2}}, {{0, 2}}},
         [](const Inputs& x) { return top_k(x[0], 2).values; },
         [](const Inputs& x) { return slice(sort(x[0], -1, true).values, -1, 0, 2); }});
  check({"top_k",
         "k = 1 is max",
         {{{5, 4}}, {{1, 1}}},
         [](const Inputs& x) { return top_k(x[0], 1, 0).values; },
         [](const Inputs& x) { return max(x[0], 0, true); }});
  check({"top_k", "k = 0", {{{5, 4}}}, [](const Inputs& x) { return top_k(x[0], 0, 0).values; }});
}

TEST_CASE("sort: equal elements and NaN") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const Tensor x = Tensor::from({2, nan, 1, 2, -inf, nan, 1}, {7});
  CHECK(difference(sort(x).indices, Tensor::from({4, 2, 6, 0, 3, 1, 5}, {7})) == 0);
  CHECK(difference(sort(x, 0, true).indices, Tensor::from({0, 3, 2, 6, 4, 1, 5}, {7})) == 0);
  CHECK(difference(top_k(x, 6).indices, Tensor::from({0, 3, 2, 6, 4, 1}, {6})) == 0);
  CHECK(std::isnan(sort(x).values.at({6})));
  CHECK(difference(top_k(zeros({100}), 3).indices, Tensor::from({0, 1, 2}, {3})) == 0);
  const Tensor bytes = Tensor::from(std::vector<std::uint8_t>{3, 200, 0}, {3});
  CHECK(sort(bytes).values.at({2}) == 200);
  CHECK(sort(cast(bytes, DType::bf16)).values.at({0}) == 0);

  const Tensor many = draw({20, 1000}, DType::f32, -1, 1, 3), sorted = sort(many).values;
  bool ordered = true;
  for (Index r = 0; r < 20; ++r)
    for (Index i = 1; i < 1000; ++i) ordered &= sorted.at({r, i - 1}) <= sorted.at({r, i});
  CHECK(ordered);
}

TEST_CASE("sort: every device gives the same order") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Tensor x = draw({3, 5000}, DType::f32, -40, 40, 3);
  float* v = x.mutable_data<float>();
  for (Index i = 0; i < x.numel(); ++i)
    v[i] = i % 501 == 7 ? nan : std::round(v[i]);  // many equals, both zeros
  for (const Device& device : devices())
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::i32, DType::u8})
      for (const Index n : {Index{1}, Index{33}, Index{1000}, Index{5000}}) {
        if (!is_float(dtype) && n > 33) continue;  // NaN is no integer
        CAPTURE(device);
        CAPTURE(n);
        const Tensor part = cast(is_float(dtype) ? slice(x, 1, 0, n) : abs(slice(x, 1, 8, 8 + n)), dtype);
        const Tensor there = to(transpose(part, 0, 1), device);
        for (const bool descending : {false, true}) {
          const Sorted a = sort(transpose(part, 0, 1), 0, descending), b = sort(there, 0, descending);
          CHECK(difference(b.indices, a.indices) == 0);
          CHECK(difference(masked_fill(b.values, not_equal(b.values, b.values), -99),
                           masked_fill(a.values, not_equal(a.values, a.values), -99)) == 0);
        }
        const Index k = std::min<Index>(n, 20);
        CHECK(difference(top_k(there, k, 0).indices, top_k(transpose(part, 0, 1), k, 0).indices) == 0);
      }
}

TEST_CASE("sort: indices are not tracked") {
  Tape tape;
  const Tensor x = tape.watch(draw({3}, DType::f32, -1, 1, 1));
  CHECK(sort(x).values.tracked());
  CHECK_FALSE(sort(x).indices.tracked());
}

TEST_CASE("sort: bad input") {
  const Tensor x = Tensor::empty({2, 3});
  check_throws([&] { sort(x, 2); }, {"[sort]", "dimension 2", "(2,3)"});
  check_throws([&] { top_k(x, 4); }, {"[top_k]", "k = 4", "(2,3)"});
  check_throws([&] { top_k(x, -1); }, {"[top_k]", "k = -1"});
  check_throws([&] { sort(Tensor::empty({})); }, {"[sort]", "dimension -1"});
}

}  // namespace
}  // namespace fovea::tests
