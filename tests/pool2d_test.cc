#include "fovea/ops/pool2d.h"

#include <cmath>
#include <limits>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/pad.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
const float nan = std::nanf("");

// Pixel (i,j) of every window for all (i,j) of the kernel, stacked: [KH KW,B,C,H',W'].
Tensor unfolded(const Tensor& x, const Pool2dOptions& o, double filler) {
  const Tensor wide = pad(x, {{o.padding.h, o.padding.h}, {o.padding.w, o.padding.w}}, filler);
  std::vector<Tensor> parts;
  for (Index i = 0; i < o.kernel.h; ++i)
    for (Index j = 0; j < o.kernel.w; ++j) {
      const Tensor rows = slice(wide, 2, i, wide.size(2) - o.kernel.h + i + 1, o.stride.h);
      parts.push_back(slice(rows, 3, j, wide.size(3) - o.kernel.w + j + 1, o.stride.w));
    }
  return stack(parts, 0);
}

// f of every window that has rows floor(i H / h) to ceil((i + 1) H / h) - 1, and such columns.
template <class F>
Tensor each_window(const Tensor& x, Index h, Index w, F f) {
  std::vector<Tensor> rows;
  for (Index i = 0; i < h; ++i) {
    std::vector<Tensor> row;
    for (Index j = 0; j < w; ++j) {
      const Tensor band = slice(x, 2, i * x.size(2) / h, ((i + 1) * x.size(2) + h - 1) / h);
      row.push_back(f(slice(band, 3, j * x.size(3) / w, ((j + 1) * x.size(3) + w - 1) / w)));
    }
    rows.push_back(concat(row, 3));
  }
  return concat(rows, 2);
}

struct Case {
  const char* name;
  Pool2dOptions options;
  std::vector<std::vector<Shape>> shapes;
};
const Case cases[] = {
    {"2 x 2",
     {2, 2, 0},
     {{{2, 3, 4, 6}}, {{1, 2, 5, 19}}, {{1, 1, 4, 37}}, {{1, 1, 2, 2}}, {{0, 3, 4, 4}}, {{2, 0, 4, 4}}}},
    {"2 x 2, padded", {2, 2, 1}, {{{1, 2, 4, 5}}, {{1, 1, 1, 1}}}},
    {"3 x 3, overlapping, padded", {3, 2, 1}, {{{2, 2, 5, 6}}, {{1, 1, 1, 3}}, {{1, 1, 18, 17}}}},
    {"3 x 2, side by side", {{3, 2}, 1, {1, 0}}, {{{1, 2, 4, 5}}, {{1, 1, 2, 2}}}},
    {"2 x 2 in width alone", {{1, 2}, {1, 2}, 0}, {{{1, 2, 3, 8}}}},
    {"gaps between", {2, {3, 5}, 0}, {{{1, 2, 9, 8}}}},
    {"1 x 1", {1, 1, 0}, {{{1, 2, 3, 4}}}}};

TEST_CASE("max_pool2d: rows") {
  for (const Case& c : cases)
    check({"max_pool2d", c.name, c.shapes, [&](const Inputs& x) { return max_pool2d(x[0], c.options); },
           [&](const Inputs& x) { return max(unfolded(x[0], c.options, -inf), 0); }});
}

TEST_CASE("avg_pool2d: rows") {
  for (const Case& c : cases) {
    const Pool2dOptions& o = c.options;
    check({"avg_pool2d", c.name, c.shapes,
           [&](const Inputs& x) {
             return avg_pool2d(x[0], {.kernel = o.kernel, .stride = o.stride, .padding = o.padding});
           },
           [&](const Inputs& x) { return mean(unfolded(x[0], o, 0), 0); }});
    check({"avg_pool2d", "without padding in the count", c.shapes,
           [&](const Inputs& x) {
             return avg_pool2d(
                 x[0],
                 {.kernel = o.kernel, .stride = o.stride, .padding = o.padding, .count_include_pad = false});
           },
           [&](const Inputs& x) {
             return sum(unfolded(x[0], o, 0), 0) / sum(unfolded(full_like(x[0], 1), o, 0), 0);
           }});
  }
}

TEST_CASE("adaptive pools: rows") {
  const std::vector<std::vector<Shape>> shapes = {
      {{2, 2, 6, 8}}, {{1, 1, 5, 7}}, {{1, 2, 1, 1}}, {{1, 1, 2, 9}}, {{0, 2, 4, 4}}};
  for (const HeightWidth& size : {HeightWidth(1), HeightWidth(3, 4), HeightWidth(2, 5), HeightWidth(7)}) {
    check({"adaptive_max_pool2d", "windows by slices", shapes,
           [&](const Inputs& x) { return adaptive_max_pool2d(x[0], size); },
           [&](const Inputs& x) {
             return each_window(x[0], size.h, size.w, [](const Tensor& w) { return max(w, {2, 3}, true); });
           }});
    check({"adaptive_avg_pool2d", "windows by slices", shapes,
           [&](const Inputs& x) { return adaptive_avg_pool2d(x[0], size); },
           [&](const Inputs& x) {
             return each_window(x[0], size.h, size.w, [](const Tensor& w) { return mean(w, {2, 3}, true); });
           }});
  }
}

TEST_CASE("pool2d: the stride is the kernel's size unless given") {
  const Tensor x = draw({1, 1, 7, 9}, DType::f32, -1, 1, 1);
  CHECK(difference(max_pool2d(x, {.kernel = {2, 3}}), max_pool2d(x, {.kernel = {2, 3}, .stride = {2, 3}})) ==
        0);
  CHECK(avg_pool2d(x, {.kernel = {2, 3}}).shape() == Shape{1, 1, 3, 3});
}

// The gradient of max pooling, for dy = 1.
Tensor chosen(const Tensor& x, const Pool2dOptions& o) {
  Tape tape;
  const Tensor watched = tape.watch(x);
  const Tensor y = max_pool2d(watched, o);
  tape.backward(y, {.seed = full_like(y.detach(), 1)});
  return tape.gradient(watched);
}

TEST_CASE("max_pool2d: of equal pixels the first in row-major order, NaN before all") {
  for (const Device& device : devices())
    for (DType type : {DType::f32, DType::f64}) {
      const auto t = [&](std::initializer_list<float> v, const Shape& s) {
        return to(cast(Tensor::from(v, s), type), device);
      };
      // Windows: all equal; the first row's second; NaN alone; two NaN; all -inf; equal across the diagonal.
      const Tensor x = t({1, 1, 0, 5, 9, nan, 3,   nan, -inf, -inf, 2, 7,  //
                          1, 1, 5, 5, 9, 9,   nan, 4,   -inf, -inf, 7, 1},
                         {1, 1, 2, 12});
      const Tensor want = t({1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1,  //
                             0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                            {1, 1, 2, 12});
      CHECK(difference(chosen(x, {.kernel = 2}), want) == 0);
      // More windows than a vector has lanes.
      CHECK(difference(chosen(concat({x, x}, 3), {.kernel = 2}), concat({want, want}, 3)) == 0);
      const Tensor y = max_pool2d(x, {.kernel = 2});
      for (Index j : {2, 3}) CHECK(std::isnan(y.at({0, 0, 0, j})));
      CHECK(y.at({0, 0, 0, 4}) == -inf);
      CHECK(y.at({0, 0, 0, 5}) == 7);
      // The same through the code for any window: 3 columns, the third never the largest.
      const Tensor low = t({5, 1, -9, 1, 5, -9}, {1, 1, 2, 3});
      CHECK(difference(chosen(low, {.kernel = {2, 3}}), t({1, 0, 0, 0, 0, 0}, {1, 1, 2, 3})) == 0);
      const Tensor up = t({1, 5, -9, 5, 1, -9}, {1, 1, 2, 3});
      CHECK(difference(chosen(up, {.kernel = {2, 3}}), t({0, 1, 0, 0, 0, 0}, {1, 1, 2, 3})) == 0);
      const Tensor bad = t({1, 5, nan, nan, 1, -9}, {1, 1, 2, 3});
      CHECK(difference(chosen(bad, {.kernel = {2, 3}}), t({0, 0, 1, 0, 0, 0}, {1, 1, 2, 3})) == 0);
    }
}

TEST_CASE("max_pool2d: padding is never taken, not even of -inf") {
  const Tensor x = full({1, 1, 3, 3}, -inf);
  const Tensor want = Tensor::from({1, 1, 0, 1, 1, 0, 0, 0, 0}, {1, 1, 3, 3});
  for (const Device& device : devices())
    CHECK(difference(chosen(to(x, device), {.kernel = 3, .stride = 2, .padding = 1}), want) == 0);
}

TEST_CASE("pool2d: bad input") {
  const Tensor x = ones({1, 2, 4, 5});
  check_throws([&] { max_pool2d(ones({2, 4, 4})); }, {"[max_pool2d]", "[B,C,H,W]", "(2,4,4)"});
  check_throws([&] { avg_pool2d(ones({1, 1, 0, 4})); }, {"[avg_pool2d]", "(1,1,0,4)", "no pixels"});
  check_throws([&] { max_pool2d(ones({1, 1, 4, 4}, DType::i32)); }, {"[max_pool2d]", "i32", "cast"});
  check_throws([&] { max_pool2d(x, {.kernel = 0}); }, {"[max_pool2d]", "kernel", "(0,0)"});
  check_throws([&] { max_pool2d(x, {.stride = {1, -1}}); }, {"[max_pool2d]", "stride", "(1,-1)"});
  check_throws([&] { max_pool2d(x, {.kernel = 3, .padding = 2}); }, {"[max_pool2d]", "(2,2)", "half"});
  check_throws([&] { avg_pool2d(x, {.padding = {0, -1}}); }, {"[avg_pool2d]", "(0,-1)", "half"});
  check_throws([&] { max_pool2d(x, {.kernel = {5, 1}}); }, {"[max_pool2d]", "(5,1)", "(1,2,4,5)", "height"});
  check_throws(
      [&] {
        avg_pool2d(x, {.kernel = {2, 9}, .padding = {0, 1}});
      },
      {"[avg_pool2d]", "(2,9)", "(0,1)", "width"});
  check_throws([&] { adaptive_avg_pool2d(x, {0, 2}); }, {"[adaptive_avg_pool2d]", "(0,2)"});
  check_throws([&] { adaptive_max_pool2d(ones({4, 4}), 2); }, {"[adaptive_max_pool2d]", "[B,C,H,W]"});
}

}  // namespace
}  // namespace fovea::tests
