#ifndef FOVEA_MODELS_DATA_GLYPHS_H_
#define FOVEA_MODELS_DATA_GLYPHS_H_

#include <array>
#include <vector>

/// The ways to write a digit that draw_digits() starts from.

namespace fovea::detail {

/// In a box of 100 x 100, y downwards.
struct Point {
  float x, y;
};

/// A curve through points; a point given twice is a corner.
using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

/// The glyphs of the digits 0 to 9.
const std::array<std::vector<Glyph>, 10>& glyphs();

}  // namespace fovea::detail

#endif  // FOVEA_MODELS_DATA_GLYPHS_H_
