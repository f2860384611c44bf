#include "fovea/ops/draw_attention.h"

#include <cmath>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// The paper's formulae as they stand, pixels and filters counted from 1.
Tensor filters(const Tensor& window, Index axis, Index n, Index size, Index longest) {
  const auto number = [&](Index k) { return unsqueeze(slice(window, 1, k, k + 1), 1); };  // [B,1,1]
  const auto power = [&](Index k) { return exp(clamp(number(k), -8, 8)); };
  const DType type = window.dtype();
  const Tensor g = (static_cast<double>(size + 1) / 2) * (number(axis) + 1);
  const Tensor i = unsqueeze(arange(n, type) + 1, 1), a = arange(size, type) + 1;
  const double strides = n > 1 ? static_cast<double>(longest - 1) / static_cast<double>(n - 1) : 0;
  const Tensor mu = g + (i - static_cast<double>(n) / 2 - 0.5) * (strides * power(3));  // [B,N,1]
  return softmax(-square(a - mu) / (2 * power(2)));
}

struct Bank {
  Tensor x, y, gamma;  // [B,1,N,W], [B,1,N,H], [B,1,1,1]
};
Bank bank(const Tensor& window, Index n, Index height, Index width) {
  const Index longest = std::max(height, width);
  return {unsqueeze(filters(window, 0, n, width, longest), 1),
          unsqueeze(filters(window, 1, n, height, longest), 1),
          reshape(exp(clamp(slice(window, 1, 4, 5), -8, 8)), {window.size(0), 1, 1, 1})};
}

Tensor composed_read(const Tensor& image, const Tensor& window, Index n) {
  const Bank f = bank(window, n, image.size(2), image.size(3));
  return f.gamma * matmul(matmul(f.y, image), transpose(f.x, 2, 3));
}
Tensor composed_write(const Tensor& patch, const Tensor& window, Index height, Index width) {
  const Bank f = bank(window, patch.size(2), height, width);
  return matmul(matmul(transpose(f.y, 2, 3), patch), f.x) / f.gamma;
}

Tensor joined(const DrawFilters& f) {
  const Index B = f.gamma.size(0);
  return concat({reshape(f.x, {B, f.x.size(1) * f.x.size(2)}), reshape(f.y, {B, f.y.size(1) * f.y.size(2)}),
                 unsqueeze(f.gamma, 1)},
                1);
}

struct Size {
  Index batch, channels, height, width, n;
};
const Size sizes[] = {{2, 1, 5, 5, 3}, {1, 3, 4, 7, 2},   {3, 2, 6, 1, 1}, {2, 1, 1, 1, 4},
                      {0, 1, 3, 3, 2}, {1, 1, 9, 17, 12}, {2, 2, 33, 8, 5}};

TEST_CASE("draw_attention: rows") {
  for (const auto& [B, C, H, W, N] : sizes) {
    const Shape image{B, C, H, W}, patch{B, C, N, N}, window{B, 5};
    check({.op = "draw_filterbank",
           .variant = "",
           .shapes = {{window}},
           .f = [=](const Inputs& x) { return joined(draw_filterbank(x[0], N, H, W)); },
           .oracle =
               [=](const Inputs& x) {
                 const Index longest = std::max(H, W);
                 return joined({filters(x[0], 0, N, W, longest), filters(x[0], 1, N, H, longest),
                                reshape(exp(clamp(slice(x[0], 1, 4, 5), -8, 8)), {B})});
               },
           .low = -1.2,
           .high = 1.2});
    check({.op = "draw_read",
           .variant = "image",
           .shapes = {{image, window}},
           .f = [=](const Inputs& x) { return draw_read(x[0], x[1], N); },
           .oracle = [=](const Inputs& x) { return composed_read(x[0], x[1], N); },
           .low = -1.2,
           .high = 1.2});
    check(
        {.op = "draw_read",
         .variant = "image and canvas",
         .shapes = {{image, image, window}},
         .f = [=](const Inputs& x) { return draw_read(x[0], x[1], x[2], N); },
         .oracle =
             [=](const Inputs& x) {
               return concat({composed_read(x[0], x[2], N), composed_read(x[0] - sigmoid(x[1]), x[2], N)}, 1);
             },
         .low = -1.2,
         .high = 1.2});
    check({.op = "draw_write",
           .variant = "patch",
           .shapes = {{patch, window}},
           .f = [=](const Inputs& x) { return draw_write(x[0], x[1], H, W); },
           .oracle = [=](const Inputs& x) { return composed_write(x[0], x[1], H, W); },
           .low = -1.2,
           .high = 1.2});
    check({.op = "draw_write",
           .variant = "on a canvas",
           .shapes = {{image, patch, window}},
           .f = [](const Inputs& x) { return draw_write(x[0], x[1], x[2]); },
           .oracle = [=](const Inputs& x) { return x[0] + composed_write(x[1], x[2], H, W); },
           .low = -1.2,
           .high = 1.2});
  }
}

// As in the rows, with filters larger than what a block of a GPU has to itself.
TEST_CASE("draw_attention: large filters") {
  const auto gradients = [](auto&& f, const Shape& shape, const Device& device) {
    const auto some = [&](const Shape& s, unsigned seed) {
      return to(draw(s, DType::f64, -0.5, 0.5, seed), device);
    };
    Tape tape;
    const Tensor x = tape.watch(some(shape, 1)), window = tape.watch(some({1, 5}, 2)), y = f(x, window);
    tape.backward(y, {.seed = some(y.shape(), 3)});
    return std::vector{y.detach(), tape.gradient(x), tape.gradient(window)};
  };
  const auto same = [&](auto&& f, auto&& composed, const Shape& shape) {
    const auto want = gradients(composed, shape, Cpu{});
    for (const Device& device : devices()) {
      const auto got = gradients(f, shape, device);
      for (std::size_t i = 0; i < got.size(); ++i) CHECK(difference(got[i], want[i]) < 1e-9);
    }
  };
  constexpr Index n = 40, size = 50;
  same([](const Tensor& x, const Tensor& w) { return draw_read(x, w, n); },
       [](const Tensor& x, const Tensor& w) { return composed_read(x, w, n); }, {1, 2, size, size});
  same([](const Tensor& x, const Tensor& w) { return draw_write(x, w, size, size); },
       [](const Tensor& x, const Tensor& w) { return composed_write(x, w, size, size); }, {1, 1, n, n});
}

void check_values(const Tensor& t, const std::vector<double>& expected) {
  REQUIRE(t.numel() == static_cast<Index>(expected.size()));
  const Tensor x = cast(contiguous(t), DType::f64);
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(std::abs(x.values<double>()[i] - expected[i]) < 6e-7);
}

TEST_CASE("draw_attention: golden values G2") {
  const double half = std::log(0.5);
  const Tensor window = Tensor::from(std::vector<double>{0.1, -0.2, half, half, 0}, {1, 5});
  const DrawFilters f = draw_filterbank(window, 3, 5, 5);
  check_values(f.x, {0.104405, 0.517124, 0.346638, 0.031446, 0.000386,  //
                     0.002846, 0.104149, 0.515851, 0.345785, 0.031369,  //
                     0.000011, 0.002938, 0.107520, 0.532551, 0.356980});
  check_values(f.y, {0.523338, 0.428473, 0.047476, 0.000712, 0.000001,  //
                     0.079620, 0.481671, 0.394358, 0.043696, 0.000655,  //
                     0.001779, 0.079530, 0.481129, 0.393915, 0.043647});
  const Tensor image = reshape(arange(25, DType::f64) / 24, {1, 1, 5, 5});
  check_values(draw_read(image, window, 3), {0.163922, 0.205272, 0.244641,  //
                                             0.346949, 0.388299, 0.427668,  //
                                             0.554037, 0.595387, 0.634756});
  const Tensor eye = Tensor::from(std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1}, {1, 1, 3, 3});
  check_values(slice(draw_write(eye, window, 5, 5), 2, 0, 3),
               {0.054866, 0.278928, 0.222672, 0.044936, 0.003335,  //
                0.046106, 0.271972, 0.405547, 0.222382, 0.043666,  //
                0.006084, 0.067036, 0.271618, 0.394082, 0.184142});
}

TEST_CASE("draw_attention: five zeros are the whole image") {
  const auto grid = [](Index n, Index height, Index width) {
    return draw_grids(zeros({1, 5}), n, height, width)[0];
  };
  const DrawGrid five = grid(5, 28, 28);
  CHECK(five.stride == 6.75);
  CHECK(five.x - five.reach == 0);  // centres at 0, 6.75, 13.5, 20.25 and 27
  CHECK(five.y + five.reach == 27);
  CHECK(five.sigma == 1);
  CHECK(five.gamma == 1);
  CHECK(grid(2, 28, 28).stride == 27);
  CHECK(grid(2, 28, 28).x - grid(2, 28, 28).reach == 0);
  const DrawGrid wide = grid(3, 11, 21);  // strides by the longer side, centred
  CHECK(wide.x == 10);
  CHECK(wide.y == 5);
  CHECK(wide.stride == 10);
  CHECK(grid(1, 28, 28).reach == 0);
  // and the filters stand where the grid says: their means
  const DrawFilters f = draw_filterbank(zeros({1, 5}), 5, 28, 28);
  const Tensor means = sum(f.x * arange(28, DType::f32), -1);
  for (Index i = 1; i < 4; ++i) CHECK(means.at({0, i}) == doctest::Approx(6.75 * static_cast<double>(i)));
}

TEST_CASE("draw_attention: a window outside the image is its nearest border") {
  for (DType type : {DType::f32, DType::f64})
    for (double where : {-1000.0, -3.0, 3.0, 1000.0, 1e20}) {
      Tensor window = zeros({1, 5}, type);
      assign(slice(window, 1, 0, 1), full({1, 1}, where, type));
      assign(slice(window, 1, 3, 4), full({1, 1}, -3, type));  // all filters close together
      const DrawFilters f = draw_filterbank(window, 4, 6, 9);
      const Index border = where < 0 ? 0 : 8;
      for (Index i = 0; i < 4; ++i) {
        CHECK(f.x.at({0, i, border}) == doctest::Approx(1).epsilon(1e-3));
        CHECK(f.x.at({0, i, 4}) == doctest::Approx(0));
      }
      const Tensor rows = sum(f.x, -1), columns = sum(f.y, -1);
      CHECK(difference(rows, full_like(rows, 1)) < 1e-6);
      CHECK(difference(columns, full_like(columns, 1)) < 1e-6);
    }
}

TEST_CASE("draw_attention: what is not tracked takes no gradient") {
  Generator random(1);
  const Tensor image = rand_uniform({2, 1, 6, 6}, random), canvas = rand_normal({2, 1, 6, 6}, random);
  Tape tape;
  const Tensor window = tape.watch(rand_normal({2, 5}, random));
  const Tensor c = tape.watch(canvas);
  tape.backward(sum(draw_read(image, c, window, 3)) +
                sum(draw_write(c, draw_read(image, window, 2), window)));
  CHECK(norm(tape.gradient(window)).item() > 0);
  CHECK(norm(tape.gradient(c)).item() > 0);
}

TEST_CASE("draw_attention: bad input") {
  const Tensor window = zeros({2, 5}), image = zeros({2, 1, 6, 6}), patch = zeros({2, 1, 3, 3});
  check_throws([&] { draw_filterbank(zeros({2, 4}), 3, 6, 6); }, {"[draw_filterbank]", "(2,4)", "[B,5]"});
  check_throws([&] { draw_filterbank(window, 0, 6, 6); }, {"[draw_filterbank]", "N = 0"});
  check_throws([&] { draw_filterbank(zeros({2, 5}, DType::u8), 3, 6, 6); }, {"[draw_filterbank]", "u8"});
  check_throws([&] { draw_grids(zeros({5}), 3, 6, 6); }, {"[draw_grids]", "(5)"});
  check_throws([&] { draw_read(zeros({2, 6, 6}), window, 3); }, {"[draw_read]", "(2,6,6)", "[B,C,H,W]"});
  check_throws([&] { draw_read(zeros({3, 1, 6, 6}), window, 3); }, {"[draw_read]", "(3,1,6,6)", "batch"});
  check_throws([&] { draw_read(zeros({2, 1, 6, 0}), window, 3); }, {"[draw_read]", "6 x 0"});
  check_throws(
      [&] {
        draw_read(zeros({2, 1, 6, 6}, DType::f64), window, 3);
      },
      {"[draw_read]", "f64", "f32", "cast()"});
  check_throws([&] { draw_read(image, zeros({2, 1, 6, 5}), window, 3); }, {"[draw_read]", "(2,1,6,5)"});
  check_throws([&] { draw_read(image, Tensor(), window, 3); }, {"[draw_read]", "canvas is undefined"});
  check_throws([&] { draw_write(zeros({2, 1, 3, 4}), window, 6, 6); }, {"[draw_write]", "(2,1,3,4)"});
  check_throws([&] { draw_write(zeros({2, 2, 6, 6}), patch, window); }, {"[draw_write]", "(2,2,6,6)"});
  check_throws([&] { draw_write(zeros({2, 6, 6}), patch, window); }, {"[draw_write]", "(2,6,6)"});
  check_throws([&] { draw_write(patch, zeros({1, 5}), 6, 6); }, {"[draw_write]", "batch"});
}

}  // namespace
}  // namespace fovea::tests
