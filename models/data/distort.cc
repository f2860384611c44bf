#include "fovea/models/data/distort.h"

#include <array>
#include <numbers>
#include <string>

#include "fovea/models/data/warp.h"

namespace fovea {
namespace {

using detail::Grey;
using detail::Place;

float between(float low, float high, Generator& random) { return low + (high - low) * random.uniform(); }

void rotate(const Grey& from, std::uint8_t* out, Generator& random) {
  const float quarter = std::numbers::pi_v<float> / 2;
  detail::warp_similar(from, out, from.height, from.width, between(-quarter, quarter, random), 1, 0, 0);
}

using Corners = std::array<Place, 4>;  // in turn

bool convex(const Corners& p) {
  for (std::size_t i = 0; i < 4; ++i) {
    const Place a = p[i], b = p[(i + 1) % 4], c = p[(i + 2) % 4];
    if ((b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x) <= 0) return false;
  }
  return true;
}

void project(const Grey& from, std::uint8_t* out, Generator& random) {
  const float right = static_cast<float>(from.width - 1), bottom = static_cast<float>(from.height - 1);
  const Corners source = {{{0, 0}, {right, 0}, {right, bottom}, {0, bottom}}};
  const float scale = between(0.75f, 1, random);
  Corners moved;
  do {
    for (std::size_t i = 0; i < 4; ++i)
      moved[i] = {right / 2 + scale * (source[i].x - right / 2) + 5 * random.normal(),
                  bottom / 2 + scale * (source[i].y - bottom / 2) + 5 * random.normal()};
  } while (!convex(moved));
  // The eight numbers h of the map from output to source: (h0 x + h1 y + h2, h3 x + h4 y + h5) divided by
  // (h6 x + h7 y + 1).
  std::vector<double> a, b;
  for (std::size_t i = 0; i < 4; ++i) {
    const double x = moved[i].x, y = moved[i].y, u = source[i].x, v = source[i].y;
    a.insert(a.end(), {x, y, 1, 0, 0, 0, -u * x, -u * y});
    a.insert(a.end(), {0, 0, 0, x, y, 1, -v * x, -v * y});
    b.insert(b.end(), {u, v});
  }
  const std::vector<double> solution = detail::solve(a, b, 8);
  std::array<float, 8> h;
  for (std::size_t i = 0; i < 8; ++i) h[i] = static_cast<float>(solution[i]);
  // Beyond the horizon the denominator has the other sign than at the corners.
  const float sign = h[6] * moved[0].x + h[7] * moved[0].y + 1 > 0 ? 1.0f : -1.0f;
  detail::warp(from, out, from.height, from.width, [&](float x, float y) {
    const float depth = h[6] * x + h[7] * y + 1;
    if (sign * depth <= 1e-6f) return Place{-9, -9};
    return Place{(h[0] * x + h[1] * y + h[2]) / depth, (h[3] * x + h[4] * y + h[5]) / depth};
  });
}

// The thin plate spline through 4x4 control points moves every pixel by a weighted sum of what they move by.
class Spline {
 public:
  static constexpr std::size_t points = 16;

  Spline(int height, int width) {
    constexpr std::size_t n = points + 3;
    std::array<std::array<double, 2>, points> p;
    for (std::size_t i = 0; i < points; ++i)
      p[i] = {static_cast<double>(i % 4) / 3 * (width - 1), static_cast<double>(i / 4) / 3 * (height - 1)};
    const auto bend = [&](std::size_t i, double x, double y) {
      const double d = (x - p[i][0]) * (x - p[i][0]) + (y - p[i][1]) * (y - p[i][1]);
      return d > 0 ? d * std::log(d) : 0;
    };
    std::vector<double> system(n * n), moves(n * points);
    for (std::size_t i = 0; i < points; ++i) {
      for (std::size_t j = 0; j < points; ++j) system[i * n + j] = bend(j, p[i][0], p[i][1]);
      const std::array<double, 3> flat = {1, p[i][0], p[i][1]};
      for (std::size_t j = 0; j < 3; ++j) system[i * n + points + j] = system[(points + j) * n + i] = flat[j];
      moves[i * points + i] = 1;
    }
    const std::vector<double> c = detail::solve(system, moves, n);  // [n, points]
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        for (std::size_t k = 0; k < points; ++k) {
          double w =
              c[points * points + k] + c[(points + 1) * points + k] * x + c[(points + 2) * points + k] * y;
          for (std::size_t i = 0; i < points; ++i) w += c[i * points + k] * bend(i, x, y);
          weights_.push_back(static_cast<float>(w));
        }
  }

  void warp(const Grey& from, std::uint8_t* out, Generator& random) const {
    std::array<float, points> dx, dy;
    for (std::size_t i = 0; i < points; ++i) dx[i] = 1.5f * random.normal(), dy[i] = 1.5f * random.normal();
    const float* w = weights_.data();
    detail::warp(from, out, from.height, from.width, [&](float x, float y) {
      for (std::size_t i = 0; i < points; ++i) x += w[i] * dx[i], y += w[i] * dy[i];
      w += points;
      return Place{x, y};
    });
  }

 private:
  std::vector<float> weights_;  // [height, width, points]
};

}  // namespace

Distortion distortion_of(const std::string& name) {
  if (name == "R") return Distortion::rotation;
  if (name == "RTS") return Distortion::rotation_translation_scale;
  if (name == "P") return Distortion::projective;
  require(name == "E", "distort", "there is no distortion '", name, "'; there are R, RTS, P and E");
  return Distortion::elastic;
}

LabelledImages distort(const LabelledImages& digits, std::span<const Index> indices, Distortion kind,
                       const Generator& random) {
  LabelledImages out = gather(digits, indices);
  require(out.images.rank() == 4 && out.images.size(1) == 1, "distort", "takes grey pictures (N,1,H,W), not ",
          out.images.shape());
  const auto count = static_cast<Index>(indices.size());
  const int height = static_cast<int>(out.images.size(2)), width = static_cast<int>(out.images.size(3));
  const int side = 3 * std::max(height, width) / 2;  // of RTS
  const bool larger = kind == Distortion::rotation_translation_scale;
  const Index pixels = height * width, pixels_out = larger ? side * side : pixels;
  Tensor images = Tensor::empty(larger ? Shape{count, 1, side, side} : out.images.shape(), DType::u8);
  const auto* from = out.images.data<std::uint8_t>();
  auto* to = images.mutable_data<std::uint8_t>();
  std::vector<Spline> spline;
  if (kind == Distortion::elastic) spline.emplace_back(height, width);
  for (std::size_t i = 0; i < indices.size(); ++i, from += pixels, to += pixels_out) {
    Generator own = random.fork(static_cast<std::uint64_t>(indices[i]));
    const Grey picture{from, height, width};
    switch (kind) {
      case Distortion::rotation:
        rotate(picture, to, own);
        break;
      case Distortion::rotation_translation_scale:
        detail::warp_rts(picture, to, side, own);
        break;
      case Distortion::projective:
        project(picture, to, own);
        break;
      case Distortion::elastic:
        spline[0].warp(picture, to, own);
        break;
    }
  }
  return {images, out.labels};
}

}  // namespace fovea
