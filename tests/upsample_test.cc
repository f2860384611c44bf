#include "fovea/ops/upsample.h"

#include <cmath>
#include <limits>

#include "fovea/ops/create.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/pool2d.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// The weights of the old pixels in every new one, [to,from], from their coordinate in the old image.
template <class F>
Tensor weights(Index from, Index to, bool nearest, DType dtype, F coordinate) {
  std::vector<double> out;
  for (Index i = 0; i < to; ++i) {
    double at = coordinate(static_cast<double>(i), static_cast<double>(from), static_cast<double>(to));
    at = std::min(std::max(at, 0.0), static_cast<double>(from - 1));
    for (Index k = 0; k < from; ++k) {
      const double apart = std::abs(at - static_cast<double>(k));
      out.push_back(nearest ? std::floor(at) == static_cast<double>(k) : std::max(0.0, 1 - apart));
    }
  }
  return cast(Tensor::from(out, {to, from}), dtype);
}

template <class F>
Tensor by_products(const Tensor& x, HeightWidth size, bool nearest, F coordinate) {
  const Tensor down = weights(x.size(2), size.h, nearest, x.dtype(), coordinate);
  const Tensor across = weights(x.size(3), size.w, nearest, x.dtype(), coordinate);
  return matmul(matmul(down, x), transpose(across, 0, 1));
}

double halves(double i, double from, double to) { return (i + 0.5) * from / to - 0.5; }
double corners(double i, double from, double to) { return to == 1 ? 0 : i * (from - 1) / (to - 1); }
double fraction(double i, double from, double to) { return i * from / to; }

const std::vector<std::vector<Shape>> shapes = {{{2, 3, 4, 5}}, {{1, 1, 1, 1}}, {{1, 2, 7, 3}},
                                                {{0, 2, 3, 3}}, {{2, 0, 3, 3}}, {{1, 2, 9, 17}}};

TEST_CASE("upsample: rows by size") {
  for (const HeightWidth& size :
       {HeightWidth(8, 10), HeightWidth(1), HeightWidth(5, 3), HeightWidth(13, 1)}) {
    check({"upsample", "bilinear", shapes, [=](const Inputs& x) { return upsample(x[0], {.size = size}); },
           [=](const Inputs& x) { return by_products(x[0], size, false, halves); }});
    check({"upsample", "bilinear, corners aligned", shapes,
           [=](const Inputs& x) { return upsample(x[0], {.size = size, .corners = AlignCorners::yes}); },
           [=](const Inputs& x) { return by_products(x[0], size, false, corners); }});
    check({"upsample", "nearest", shapes,
           [=](const Inputs& x) { return upsample(x[0], {.size = size, .mode = Interpolation::nearest}); },
           [=](const Inputs& x) { return by_products(x[0], size, true, fraction); }});
  }
}

TEST_CASE("upsample: rows by scale") {
  for (double scale : {2.0, 1.5, 1.0}) {
    const auto size = [=](const Tensor& x) {
      return HeightWidth(static_cast<Index>(scale * static_cast<double>(x.size(2))),
                         static_cast<Index>(scale * static_cast<double>(x.size(3))));
    };
    check({"upsample", "bilinear by scale", shapes,
           [=](const Inputs& x) { return upsample(x[0], {.scale = scale}); },
           [=](const Inputs& x) {
             return by_products(x[0], size(x[0]), false,
                                [=](double i, double, double) { return (i + 0.5) / scale - 0.5; });
           }});
    check({"upsample", "nearest by scale", shapes,
           [=](const Inputs& x) { return upsample(x[0], {.scale = scale, .mode = Interpolation::nearest}); },
           [=](const Inputs& x) {
             return by_products(x[0], size(x[0]), true, [=](double i, double, double) { return i / scale; });
           }});
  }
}

TEST_CASE("upsample: the same size is the same image") {
  const Tensor x = draw({1, 2, 5, 49}, DType::f32, -1, 1, 1);
  CHECK(difference(upsample(x, {.size = {5, 49}}), x) == 0);
  CHECK(difference(upsample(x, {.size = {5, 49}, .corners = AlignCorners::yes}), x) == 0);
  CHECK(difference(upsample(x, {.scale = 1, .mode = Interpolation::nearest}), x) == 0);
}

TEST_CASE("upsample: nearest repeats every pixel, whatever the size") {
  // 1/41 and 1/47 in f32, times 41 and 47, stay below 1: that would read the pixel before.
  for (Index n = 1; n <= 40; ++n)
    for (Index k : {2, 3, 41, 47}) {
      const Tensor x = reshape(arange(n, DType::f32), {1, 1, 1, n});
      const Tensor y = upsample(x, {.size = {1, n * k}, .mode = Interpolation::nearest});
      CHECK(difference(max_pool2d(y, {.kernel = {1, k}}), x) == 0);
      CHECK(difference(avg_pool2d(y, {.kernel = {1, k}}), x) < 1e-6);
    }
}

TEST_CASE("upsample: pixels of weight 0 are not read") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const Tensor x = Tensor::from({1, inf, 2, -inf}, {1, 1, 1, 4});
  for (const Device& device : devices())
    CHECK(difference(upsample(to(x, device), {.size = {1, 4}, .corners = AlignCorners::yes}), x) == 0);
}

TEST_CASE("upsample: bad input") {
  const Tensor x = ones({1, 2, 3, 4});
  check_throws([&] { upsample(x, {}); }, {"[upsample]", ".size or .scale"});
  check_throws([&] { upsample(x, {.size = 3, .scale = 2}); }, {"[upsample]", ".size or .scale"});
  check_throws([&] { upsample(x, {.size = {3, 0}}); }, {"[upsample]", "(3,0)"});
  check_throws([&] { upsample(x, {.scale = -1}); }, {"[upsample]", "scale of -1", "(1,2,3,4)"});
  check_throws([&] { upsample(x, {.scale = 0.3}); }, {"[upsample]", "0.3", "0 x 1"});
  check_throws([&] { upsample(x, {.scale = std::nan("")}); }, {"[upsample]", "nan"});
  check_throws([&] { upsample(x, {.scale = 1e300}); }, {"[upsample]", "1e+300"});
  check_throws([&] { upsample(ones({3, 4}), {.scale = 2}); }, {"[upsample]", "[B,C,H,W]", "(3,4)"});
  check_throws([&] { upsample(ones({1, 1, 0, 4}), {.scale = 2}); }, {"[upsample]", "no pixels"});
  check_throws([&] { upsample(ones({1, 1, 2, 2}, DType::i32), {.scale = 2}); }, {"[upsample]", "i32"});
  check_throws(
      [&] { upsample(x, {.scale = 2, .mode = Interpolation::nearest, .corners = AlignCorners::yes}); },
      {"[upsample]", "bilinear"});
}

}  // namespace
}  // namespace fovea::tests
