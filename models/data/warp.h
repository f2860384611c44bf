#ifndef FOVEA_MODELS_DATA_WARP_H_
#define FOVEA_MODELS_DATA_WARP_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "fovea/core/generator.h"
#include "fovea/core/shape.h"

/// Moving the pixels of one grey picture. Internal to this folder.

namespace fovea::detail {

struct Place {
  float x, y;
};

/// Grey bytes, row by row.
struct Grey {
  const std::uint8_t* pixels;
  int height, width;

  /// The picture between its pixels; beyond them lies black.
  float at(Place p) const {
    const float fx = std::floor(p.x), fy = std::floor(p.y);
    if (!(fx >= -1 && fy >= -1 && fx < static_cast<float>(width) && fy < static_cast<float>(height)))
      return 0;
    const int x = static_cast<int>(fx), y = static_cast<int>(fy);
    const float u = p.x - fx, v = p.y - fy;
    const auto pixel = [this](int row, int column) {
      const bool inside = row >= 0 && row < height && column >= 0 && column < width;
      return inside ? static_cast<float>(pixels[row * width + column]) : 0.0f;
    };
    return (1 - v) * ((1 - u) * pixel(y, x) + u * pixel(y, x + 1)) +
           v * ((1 - u) * pixel(y + 1, x) + u * pixel(y + 1, x + 1));
  }
};

/// out[y,x] = from.at(source(x, y)), for a picture of height x width.
template <class F>
void warp(const Grey& from, std::uint8_t* out, int height, int width, F&& source) {
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      *out++ =
          static_cast<std::uint8_t>(from.at(source(static_cast<float>(x), static_cast<float>(y))) + 0.5f);
}

/// Turned by `angle` (radians, clockwise as seen), scaled, its middle put (dx, dy) off that of the output.
inline void warp_similar(const Grey& from, std::uint8_t* out, int height, int width, float angle, float scale,
                         float dx, float dy) {
  const float c = std::cos(angle) / scale, s = std::sin(angle) / scale;
  const float to_x = static_cast<float>(width - 1) / 2 + dx, to_y = static_cast<float>(height - 1) / 2 + dy;
  const float from_x = static_cast<float>(from.width - 1) / 2,
              from_y = static_cast<float>(from.height - 1) / 2;
  warp(from, out, height, width, [=](float x, float y) {
    const float u = x - to_x, v = y - to_y;
    return Place{c * u + s * v + from_x, c * v - s * u + from_y};
  });
}

/// The paper's RTS onto a canvas of side x side.
inline void warp_rts(const Grey& from, std::uint8_t* out, int side, Generator& random) {
  const auto between = [&](float low, float high) { return low + (high - low) * random.uniform(); };
  const float angle = between(-45, 45) * 3.14159265f / 180, scale = between(0.7f, 1.2f);
  const float room_x = static_cast<float>(side - from.width) / 2,
              room_y = static_cast<float>(side - from.height) / 2;
  const float dx = between(-room_x, room_x), dy = between(-room_y, room_y);
  warp_similar(from, out, side, side, angle, scale, dx, dy);
}

/// The solution X [n,columns] of A X = B, A [n,n]; A must not be singular.
inline std::vector<double> solve(std::vector<double> a, std::vector<double> b, std::size_t n) {
  const std::size_t columns = b.size() / n;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t best = k;
    for (std::size_t i = k + 1; i < n; ++i)
      if (std::abs(a[i * n + k]) > std::abs(a[best * n + k])) best = i;
    std::swap_ranges(&a[k * n], &a[k * n] + n, &a[best * n]);
    std::swap_ranges(&b[k * columns], &b[k * columns] + columns, &b[best * columns]);
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const double factor = a[i * n + k] / a[k * n + k];
      for (std::size_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
      for (std::size_t j = 0; j < columns; ++j) b[i * columns + j] -= factor * b[k * columns + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < columns; ++j) b[i * columns + j] /= a[i * n + i];
  return b;
}

}  // namespace fovea::detail

#endif  // FOVEA_MODELS_DATA_WARP_H_
