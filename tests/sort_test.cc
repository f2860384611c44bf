#include "fovea/ops/sort.h"

#include <cmath>
#include <limits>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
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
