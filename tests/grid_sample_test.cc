#include "fovea/ops/grid_sample.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

constexpr AlignCorners both_corners[] = {AlignCorners::no, AlignCorners::yes};
constexpr Surroundings both_paddings[] = {Surroundings::zeros, Surroundings::border};
constexpr float inf = std::numeric_limits<float>::infinity();
const float nan = std::nanf("");

Tensor sample(const Tensor& x, const Tensor& points, AlignCorners corners,
              Surroundings padding = Surroundings::zeros, Interpolation mode = Interpolation::bilinear) {
  return grid_sample(x, SamplingGrid(points, corners), {.mode = mode, .padding = padding});
}

// An image of one channel, 0, 1, 2, ..., and the identity grid of another size.
Tensor ramp(Index height, Index width) {
  return reshape(arange(height * width, DType::f32), {1, 1, height, width});
}
SamplingGrid identity(Index height, Index width, AlignCorners corners) {
  return affine_grid(Tensor::from({1, 0, 0, 0, 1, 0}, {1, 2, 3}), height, width, corners);
}

// The paper's sum over all pixels: k(p - n) of one dimension, [B,P,n].
Tensor kernel(const Tensor& coordinate, Index n, AlignCorners corners, Surroundings padding) {
  const double size = static_cast<double>(n);
  Tensor p = affine(coordinate, (corners == AlignCorners::yes ? size - 1 : size) / 2, (size - 1) / 2);
  if (padding == Surroundings::border) p = clamp(p, 0, size - 1);
  return relu(affine(abs(p - arange(n, coordinate.dtype())), -1, 1));
}
Tensor by_sum(const Tensor& x, const Tensor& points, AlignCorners corners, Surroundings padding) {
  const Index b = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3), n = points.size(1) * points.size(2);
  const Tensor flat = reshape(points, {b, n, 2});
  const Tensor kx = kernel(slice(flat, 2, 0, 1), w, corners, padding);
  const Tensor ky = kernel(slice(flat, 2, 1, 2), h, corners, padding);
  const Tensor k = reshape(unsqueeze(ky, 3) * unsqueeze(kx, 2), {b, n, h * w});
  return reshape(matmul(reshape(x, {b, c, h * w}), transpose(k, 1, 2)),
                 {b, c, points.size(1), points.size(2)});
}

// Points that reach beyond the image, but not onto a kink.
const std::vector<std::vector<Shape>> shapes = {
    {{2, 3, 4, 5}, {2, 2, 3, 2}}, {{1, 1, 1, 1}, {1, 3, 1, 2}},   {{1, 2, 1, 7}, {1, 1, 4, 2}},
    {{1, 1, 6, 1}, {1, 5, 1, 2}}, {{0, 2, 3, 3}, {0, 2, 2, 2}},   {{2, 0, 3, 3}, {2, 2, 2, 2}},
    {{1, 2, 3, 3}, {1, 0, 2, 2}}, {{2, 2, 9, 8}, {2, 13, 11, 2}}, {{1, 1, 18, 19}, {1, 16, 17, 2}}};

TEST_CASE("grid_sample: rows") {
  for (AlignCorners corners : both_corners)
    for (Surroundings padding : both_paddings)
      check({.op = "grid_sample",
             .variant = "bilinear",
             .shapes = shapes,
             .f = [=](const Inputs& x) { return sample(x[0], x[1], corners, padding); },
             .oracle = [=](const Inputs& x) { return by_sum(x[0], x[1], corners, padding); },
             .low = -1.7,
             .high = 1.7});
}

TEST_CASE("grid_sample: rows of nearest") {
  for (AlignCorners corners : both_corners)
    for (Surroundings padding : both_paddings)
      check(
          {.op = "grid_sample",
           .variant = "nearest",
           .shapes = shapes,
           .f = [=](const Inputs& x) { return sample(x[0], x[1], corners, padding, Interpolation::nearest); },
           .low = -1.7,
           .high = 1.7});
}

TEST_CASE("grid_sample: gradients of one input alone") {
  const Tensor x = draw({2, 3, 4, 5}, DType::f64, -1, 1, 1), g = draw({2, 2, 3, 2}, DType::f64, -1.2, 1.2, 2);
  check({"grid_sample", "x constant", {{{2, 2, 3, 2}}}, [&](const Inputs& in) {
           return sample(beside(in[0], cast(x, in[0].dtype())), in[0], AlignCorners::no);
         }});
  check({"grid_sample", "grid constant", {{{2, 3, 4, 5}}}, [&](const Inputs& in) {
           return sample(in[0], beside(in[0], cast(g, in[0].dtype())), AlignCorners::no);
         }});
}

TEST_CASE("grid_sample: one tensor as the image and the points") {
  check({.op = "grid_sample",
         .variant = "one tensor twice",
         .shapes = {{{1, 2, 3, 2}}, {{2, 3, 5, 2}}},
         .f = [](const Inputs& x) { return sample(x[0], x[0], AlignCorners::no); },
         .oracle = [](const Inputs& x) { return by_sum(x[0], x[0], AlignCorners::no, Surroundings::zeros); },
         .low = -1.2,
         .high = 1.2});
}

// Points without a word on the corners are no grid.
static_assert(!std::is_constructible_v<SamplingGrid, Tensor>);
static_assert(!std::is_default_constructible_v<SamplingGrid>);

TEST_CASE("grid_sample: the identity reproduces the image") {
  for (AlignCorners corners : both_corners)
    for (Surroundings padding : both_paddings)
      for (Interpolation mode : {Interpolation::bilinear, Interpolation::nearest})
        for (const auto& [h, w] : {std::pair<Index, Index>{4, 4}, {7, 30}, {1, 5}, {1, 1}, {60, 60}}) {
          const Tensor x = draw({1, 1, h, w}, DType::f32, -1, 1, 7);
          const Tensor y = grid_sample(x, identity(h, w, corners), {.mode = mode, .padding = padding});
          CHECK(difference(y, x) < (mode == Interpolation::nearest ? 1e-30 : 1e-5));
        }
}

TEST_CASE("grid_sample: the reference's 4 x 4 image") {
  const Tensor theta = Tensor::from(std::vector<double>{0.8, 0.3, 0.1, -0.2, 0.9, -0.3}, {1, 2, 3});
  const Tensor x = cast(ramp(4, 4), DType::f64);
  const auto values = [&](AlignCorners corners, Surroundings padding) {
    return grid_sample(x, affine_grid(theta, 3, 3, corners), {.padding = padding});
  };
  const auto expect = [](const Tensor& y, std::vector<double> want) {
    CHECK(difference(y, Tensor::from(want, {1, 1, 3, 3})) < 5.1e-5);  // given to four places
  };
  expect(values(AlignCorners::yes, Surroundings::zeros), {0, 0.84, 0.96, 5.85, 5.85, 5.85, 11.7, 11.7, 7.98});
  expect(values(AlignCorners::yes, Surroundings::border), {0, 1.2, 2.4, 5.85, 5.85, 5.85, 11.7, 11.7, 11.4});
  expect(values(AlignCorners::no, Surroundings::zeros),
         {0.2256, 0.91, 1.0256, 5.3, 5.3, 5.3, 10.5, 10.5, 8.6111});
  expect(values(AlignCorners::no, Surroundings::border),
         {0.2333, 1.3, 2.3667, 5.3, 5.3, 5.3, 10.5, 10.5, 10.3333});

  Tape tape;
  const Tensor watched = tape.watch(theta);
  tape.backward(sum(grid_sample(x, affine_grid(watched, 3, 3, AlignCorners::no))));
  const std::vector<double> slope{-15.8222, -13.9111, -6.4667, 1.9556, 9.9111, 54.4667};
  CHECK(difference(tape.gradient(watched), Tensor::from(slope, {1, 2, 3})) < 5.1e-5);
}

TEST_CASE("grid_sample: every tap outside counts 0 for itself") {
  // Half a pixel above, left, below and right of a 2 x 2 image of ones, and at its corner.
  const Tensor points = Tensor::from({-0.5F, -1, -1, -0.5F, 0.5F, 1, 1, 0.5F, 1, 1}, {1, 1, 5, 2});
  const Tensor y = sample(ones({1, 1, 2, 2}), points, AlignCorners::no);
  CHECK(difference(y, Tensor::from({0.5F, 0.5F, 0.5F, 0.5F, 0.25F}, {1, 1, 1, 5})) == 0);
}

TEST_CASE("grid_sample: nearest rounds halves to even") {
  const Tensor points = Tensor::from({-1, 0, -0.5F, 0, 0, 0, 0.5F, 0, 1, 0}, {1, 1, 5, 2});
  const Tensor x = Tensor::from({1, 2, 3, 4}, {1, 1, 1, 4});  // at -0.5, 0.5, 1.5, 2.5 and 3.5
  for (const Device& device : devices()) {
    const auto nearest = [&](Surroundings padding) {
      return sample(to(x, device), to(points, device), AlignCorners::no, padding, Interpolation::nearest);
    };
    CHECK(difference(nearest(Surroundings::zeros), Tensor::from({1, 1, 3, 3, 0}, {1, 1, 1, 5})) == 0);
    CHECK(difference(nearest(Surroundings::border), Tensor::from({1, 1, 3, 3, 4}, {1, 1, 1, 5})) == 0);
  }
}

TEST_CASE("grid_sample: points far away, infinite or no numbers") {
  for (const Device& device : devices()) {
    const auto here = [&](const Tensor& t) { return to(t, device); };
    const std::vector<float> far{-2, 0, 0, 2.5F, 1e30F, 0, 0, -1e30F, inf, 0, -inf, inf, 1e9F, -1e9F};
    const Index n = static_cast<Index>(far.size()) / 2;
    for (AlignCorners corners : both_corners)
      for (Interpolation mode : {Interpolation::bilinear, Interpolation::nearest})
        for (const auto& [h, w] : {std::pair<Index, Index>{3, 4}, {16, 16}}) {
          Tape tape;
          const Tensor x = tape.watch(here(draw({1, 2, h, w}, DType::f32, 1, 2, 3)));
          const Tensor points = tape.watch(here(Tensor::from(far, {1, 1, n, 2})));
          const Tensor y = sample(x, points, corners, Surroundings::zeros, mode);
          const Tensor held = sample(x, points, corners, Surroundings::border, mode);
          CHECK(difference(y.detach(), zeros({1, 2, 1, n})) == 0);
          const Tensor seen = to(held.detach(), Cpu{});
          for (float v : seen.values<float>()) CHECK((v >= 1 && v <= 2));
          CHECK(held.at({0, 1, 0, 5}) == x.at({0, 1, h - 1, 0}));
          tape.backward(y, {.seed = here(ones(y.shape()))});
          CHECK(difference(tape.gradient(x), zeros(x.shape())) == 0);
          CHECK(difference(tape.gradient(points), zeros(points.shape())) == 0);
        }
    for (Surroundings padding : both_paddings)
      for (Interpolation mode : {Interpolation::bilinear, Interpolation::nearest}) {
        Tape tape;
        const Tensor x = tape.watch(here(ramp(3, 3)));
        const Tensor points = tape.watch(here(Tensor::from({0, 0, nan, 0, 0, nan, 0, 0}, {1, 1, 4, 2})));
        const Tensor y = sample(x, points, AlignCorners::no, padding, mode);
        CHECK(y.at({0, 0, 0, 0}) == 4);
        CHECK(std::isnan(y.at({0, 0, 0, 1})));
        CHECK(std::isnan(y.at({0, 0, 0, 2})));
        CHECK(y.at({0, 0, 0, 3}) == 4);
        tape.backward(y, {.seed = here(ones(y.shape()))});
        CHECK(sum(tape.gradient(x)).item() == 2);  // the two points that are numbers
        const Tensor d = tape.gradient(points);
        for (Index k : {1, 2})
          for (Index c : {0, 1}) CHECK(std::isnan(d.at({0, 0, k, c})));
        CHECK(std::isfinite(d.at({0, 0, 3, 0})));
      }
  }
}

TEST_CASE("grid_sample: a theta of 1e30 reads zeros and gives no gradient") {
  for (AlignCorners corners : both_corners) {
    Tape tape;
    const Tensor theta = tape.watch(Tensor::from({1e30F, 0, 1, 0, 1e30F, 1}, {1, 2, 3}));
    const Tensor y = grid_sample(ones({1, 1, 5, 5}), affine_grid(theta, 4, 4, corners));
    CHECK(difference(y.detach(), zeros({1, 1, 4, 4})) == 0);
    tape.backward(sum(y));
    CHECK(difference(tape.gradient(theta), zeros({1, 2, 3})) == 0);
  }
}

TEST_CASE("grid_sample: pixels of weight 0 are not read") {
  const Tensor x = Tensor::from({inf, 2, nan, inf}, {1, 1, 1, 4});
  const Tensor at_second = Tensor::from({-0.25F, 0, -3, 0}, {1, 1, 2, 2});
  for (const Device& device : devices()) {
    const Tensor y = sample(to(x, device), to(at_second, device), AlignCorners::no);
    CHECK(y.at({0, 0, 0, 0}) == 2);
    CHECK(y.at({0, 0, 0, 1}) == 0);
  }
}

TEST_CASE("grid_sample: one pixel") {
  const Tensor x = full({1, 1, 1, 1}, 3), points = Tensor::from({0, 0, 0.9F, -0.9F, inf, 0}, {1, 1, 3, 2});
  // With corners aligned, the one pixel is everywhere.
  CHECK(difference(sample(x, points, AlignCorners::yes), full({1, 1, 1, 3}, 3)) == 0);
  CHECK(difference(sample(x, points, AlignCorners::no, Surroundings::border), full({1, 1, 1, 3}, 3)) == 0);
  const Tensor fades = Tensor::from({3, 3 * 0.55F * 0.55F, 0}, {1, 1, 1, 3});
  CHECK(difference(sample(x, points, AlignCorners::no), fades) < 1e-6);
}

TEST_CASE("grid_sample: views are read as what they show") {
  const Tensor x = draw({2, 3, 5, 4}, DType::f32, -1, 1, 1), g = draw({2, 3, 2, 2}, DType::f32, -1, 1, 2);
  const Tensor turned = transpose(x, 2, 3), points = transpose(g, 1, 2);
  CHECK(difference(sample(turned, points, AlignCorners::no),
                   sample(clone(turned), clone(points), AlignCorners::no)) == 0);
}

TEST_CASE("grid_sample: bad input") {
  const auto run = [](const Shape& x, const Shape& points, DType type = DType::f32) {
    return [=] { sample(ones(x), ones(points, type), AlignCorners::no); };
  };
  check_throws(run({3, 4, 4}, {1, 2, 2, 2}), {"[grid_sample]", "[B,C,H,W]", "(3,4,4)"});
  check_throws(run({1, 3, 4, 4}, {1, 2, 2, 3}), {"[grid_sample]", "[B,H',W',2]", "(1,2,2,3)"});
  check_throws(run({2, 3, 4, 4}, {1, 2, 2, 2}), {"[grid_sample]", "(2,3,4,4)", "(1,2,2,2)", "expand"});
  check_throws(run({1, 3, 4, 4}, {1, 2, 2, 2}, DType::f64), {"[grid_sample]", "f32", "f64", "cast"});
  check_throws(run({1, 3, 0, 4}, {1, 2, 2, 2}), {"[grid_sample]", "(1,3,0,4)", "no pixels"});
  check_throws(run({1, 0, 1, 1 << 25}, {1, 2, 2, 2}), {"[grid_sample]", "2^24"});
  check_throws(
      [] {
        sample(ones({1, 1, 2, 2}, DType::i32), ones({1, 1, 1, 2}, DType::i32), AlignCorners::no);
      },
      {"[grid_sample]", "i32"});
}

}  // namespace
}  // namespace fovea::tests
