#ifndef FOVEA_TOOLS_FIGURES_PALETTE_H_
#define FOVEA_TOOLS_FIGURES_PALETTE_H_

#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "tools/figures/image.h"

namespace fovea::tools {

/// A palette of at most 256 colours for some pictures: their exact colours where these are not more,
/// otherwise the means of 256 boxes, got by cutting the box with the largest error at its mean until there
/// are so many.
class Palette {
 public:
  /// Makes the palette of all pictures together.
  explicit Palette(std::span<const RgbImage* const> images);

  /// The palette.
  const std::vector<std::array<std::uint8_t, 3>>& colors() const { return colors_; }
  /// The entry of each pixel of one of the pictures.
  std::vector<std::uint8_t> indices(const RgbImage& image) const;

 private:
  bool collect_exact(std::span<const RgbImage* const> images);
  void cut_boxes(std::span<const RgbImage* const> images);

  std::vector<std::array<std::uint8_t, 3>> colors_;
  std::unordered_map<std::uint32_t, std::uint8_t> exact_;  // colour -> entry
  std::vector<std::uint8_t> entry_of_bin_;                 // empty where `exact_` serves
};

}  // namespace fovea::tools

#endif
