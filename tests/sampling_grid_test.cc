#include "fovea/ops/sampling_grid.h"

#include <cmath>
#include <limits>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/thin_plate_spline.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

constexpr AlignCorners both[] = {AlignCorners::no, AlignCorners::yes};

// The target points (x,y,1) as the reference writes them, [H'W',3].
Tensor targets(Index height, Index width, AlignCorners corners, DType dtype) {
  const auto place = [&](Index i, Index n) {
    const double at = static_cast<double>(i), size = static_cast<double>(n);
    if (corners == AlignCorners::no) return (2 * at + 1) / size - 1;
    return n == 1 ? 0 : -1 + 2 * at / (size - 1);
  };
  std::vector<double> out;
  for (Index i = 0; i < height; ++i)
    for (Index j = 0; j < width; ++j) out.insert(out.end(), {place(j, width), place(i, height), 1});
  return cast(Tensor::from(out, {height * width, 3}), dtype);
}

TEST_CASE("affine_grid: rows") {
  for (AlignCorners corners : both)
    for (const auto& [h, w] : {std::pair<Index, Index>{3, 5}, {1, 1}, {4, 1}, {1, 9}, {0, 3}})
      check({"affine_grid",
             "theta times target points",
             {{{3, 2, 3}}, {{1, 2, 3}}, {{0, 2, 3}}},
             [=, h = h, w = w](const Inputs& x) { return affine_grid(x[0], h, w, corners).points; },
             [=, h = h, w = w](const Inputs& x) {
               const Tensor points = matmul(targets(h, w, corners, x[0].dtype()), transpose(x[0], 1, 2));
               return reshape(points, {x[0].size(0), h, w, 2});
             }});
}

TEST_CASE("projective_grid: rows") {
  for (AlignCorners corners : both)
    for (const auto& [h, w] : {std::pair<Index, Index>{3, 5}, {1, 1}, {4, 1}, {17, 9}})
      check({.op = "projective_grid",
             .variant = "theta times target points over z",
             .shapes = {{{3, 8}}, {{1, 8}}, {{0, 8}}},
             .f = [=, h = h, w = w](const Inputs& x) { return projective_grid(x[0], h, w, corners).points; },
             .oracle =
                 [=, h = h, w = w](const Inputs& x) {
                   const Index batch = x[0].size(0);
                   const Tensor one = ones({batch, 1}, x[0].dtype());
                   const Tensor matrix = reshape(concat({x[0], one}, 1), {batch, 3, 3});
                   const Tensor uvz = matmul(targets(h, w, corners, x[0].dtype()), transpose(matrix, 1, 2));
                   return reshape(slice(uvz, 2, 0, 2) / slice(uvz, 2, 2, 3), {batch, h, w, 2});
                 },
             .low = -0.4,
             .high = 0.4});
}

TEST_CASE("projective_grid: without a projective part it is the affine grid") {
  const Tensor theta = Tensor::from({0.8F, 0.3F, 0.1F, -0.2F, 0.9F, -0.3F, 0, 0}, {1, 8});
  const Tensor affine = reshape(slice(theta, 1, 0, 6), {1, 2, 3});
  for (AlignCorners corners : both)
    CHECK(difference(projective_grid(theta, 4, 3, corners).points,
                     affine_grid(affine, 4, 3, corners).points) == 0);
}

TEST_CASE("projective_grid: a z near 0 is held, with gradient 0") {
  // z = 1 - x: 2 at the left, 1 in the middle, 0 at the right.
  Tape tape;
  const Tensor theta = tape.watch(Tensor::from({1, 0, 0, 0, 1, 0, -1, 0}, {1, 8}));
  const Tensor points = projective_grid(theta, 1, 3, AlignCorners::yes).points;
  CHECK(difference(points.detach(), Tensor::from({-0.5F, 0, 0, 0, 1e6F, 0}, {1, 1, 3, 2})) < 1e-6);
  tape.backward(points, {.seed = ones({1, 1, 3, 2})});
  // By hand: u = x gives da = -1 / 2 + 0 + 1e6 and dc = 1/2 + 1 + 1e6; dg = -(u / z^2) x at the left alone.
  const Tensor d = tape.gradient(theta);
  CHECK(d.at({0, 0}) == doctest::Approx(1e6 - 0.5));
  CHECK(d.at({0, 2}) == doctest::Approx(1e6 + 1.5));
  CHECK(d.at({0, 6}) == doctest::Approx(-0.25));
}

TEST_CASE("sampling grids: theta of any size gives points, never a surprise") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const Tensor huge = affine_grid(full({1, 2, 3}, 1e30), 2, 2, AlignCorners::no).points;
  CHECK(huge.at({0, 1, 1, 0}) == doctest::Approx(2e30));
  const Tensor none = affine_grid(full({1, 2, 3}, std::nan("")), 2, 2, AlignCorners::no).points;
  CHECK(std::isnan(none.at({0, 0, 0, 0})));
  const Tensor far =
      affine_grid(Tensor::from({inf, 0, 0, 0, 1, 0}, {1, 2, 3}), 1, 2, AlignCorners::no).points;
  CHECK(far.at({0, 0, 0, 0}) == -inf);
  CHECK(far.at({0, 0, 0, 1}) == 0);
}

TEST_CASE("thin_plate_spline_grid: rows") {
  for (AlignCorners corners : both)
    check({"thin_plate_spline_grid",
           "against differences",
           {{{2, 32}}, {{1, 8}}, {{3, 18}}, {{0, 32}}},
           [=](const Inputs& x) { return thin_plate_spline_grid(x[0], 3, 5, corners).points; }});
}

TEST_CASE("thin_plate_spline_grid: affine maps of the control points are affine grids") {
  for (Index n : {2, 4, 5})
    for (AlignCorners corners : both) {
      const Tensor c = reshape(control_points(n, DType::f64), {n * n, 2});
      const Tensor with_one = concat({c, ones({n * n, 1}, DType::f64)}, 1);
      const Tensor theta = Tensor::from(std::vector<double>{0.8, 0.3, 0.1, -0.2, 0.9, -0.3}, {1, 2, 3});
      const Tensor moved = reshape(matmul(with_one, transpose(select(theta, 0, 0), 0, 1)), {1, 2 * n * n});
      CHECK(difference(thin_plate_spline_grid(moved, 5, 7, corners).points,
                       affine_grid(theta, 5, 7, corners).points) < 1e-12);
    }
}

TEST_CASE("thin_plate_spline_grid: control points go where theta says") {
  const Tensor theta = draw({2, 32}, DType::f64, -2, 2, 3);
  // With corners aligned, a grid of 7 x 7 has the 4 x 4 control points at every second place.
  const Tensor points = thin_plate_spline_grid(theta, 7, 7, AlignCorners::yes).points;
  const Tensor at_controls = slice(slice(points, 1, 0, 7, 2), 2, 0, 7, 2);
  CHECK(difference(at_controls, reshape(theta, {2, 4, 4, 2})) < 1e-12);
}

TEST_CASE("sampling grids: bad input") {
  const auto no = AlignCorners::no;
  check_throws([&] { affine_grid(ones({2, 6}), 3, 3, no); }, {"[affine_grid]", "[B,2,3]", "(2,6)"});
  check_throws([&] { affine_grid(ones({2, 2, 3}), -1, 3, no); }, {"[affine_grid]", "-1 x 3"});
  check_throws([&] { affine_grid(ones({1, 2, 3}, DType::i32), 3, 3, no); }, {"[affine_grid]", "i32"});
  check_throws([&] { projective_grid(ones({2, 9}), 3, 3, no); }, {"[projective_grid]", "[B,8]", "(2,9)"});
  check_throws([&] { thin_plate_spline_grid(ones({32}), 3, 3, no); }, {"[thin_plate_spline_grid]", "[B,2K]"});
  check_throws(
      [&] {
        thin_plate_spline_grid(ones({1, 30}), 3, 3, no);
      },
      {"[thin_plate_spline_grid]", "(1,30)", "32"});
  check_throws(
      [&] {
        thin_plate_spline_grid(ones({1, 2}), 3, 3, no);
      },
      {"[thin_plate_spline_grid]", "n >= 2"});
  check_throws(
      [&] {
        thin_plate_spline_grid(ones({1, 32}), 3, -2, no);
      },
      {"[thin_plate_spline_grid]", "3 x -2"});
  check_throws(
      [&] {
        thin_plate_spline_grid(ones({1, 32}, DType::i32), 3, 2, no);
      },
      {"[thin_plate_spline_grid]", "i32"});
  check_throws([&] { control_points(1); }, {"[control_points]", "n is 1"});
}

}  // namespace
}  // namespace fovea::tests
