#ifndef FOVEA_TOOLS_FIGURES_IMAGE_H_
#define FOVEA_TOOLS_FIGURES_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fovea::tools {

/// A picture of 8-bit RGB pixels: rows from the top, three bytes a pixel, no padding.
struct RgbImage {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;

  /// An empty picture.
  RgbImage() = default;
  /// A black picture of the given size; both sides must be positive.
  RgbImage(int w, int h) : width(w), height(h), pixels(std::size_t(w) * std::size_t(h) * 3) {}

  /// The three bytes of column x in row y.
  std::uint8_t* at(int x, int y) {
    return pixels.data() + (std::size_t(y) * std::size_t(width) + std::size_t(x)) * 3;
  }
  /// The three bytes of column x in row y.
  const std::uint8_t* at(int x, int y) const {
    return pixels.data() + (std::size_t(y) * std::size_t(width) + std::size_t(x)) * 3;
  }
};

}  // namespace fovea::tools

#endif
