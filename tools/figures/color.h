#ifndef FOVEA_TOOLS_FIGURES_COLOR_H_
#define FOVEA_TOOLS_FIGURES_COLOR_H_

#include <cstddef>

namespace fovea::tools {

/// A colour, each part in [0, 1]; `a` is the opacity.
struct Color {
  double r = 0, g = 0, b = 0, a = 1;

  /// The same colour with another opacity.
  constexpr Color faded(double opacity) const { return {r, g, b, opacity}; }
  friend constexpr bool operator==(const Color&, const Color&) = default;
};

/// Colours that several figures use.
namespace colors {
inline constexpr Color white{1, 1, 1}, black{0, 0, 0}, red{0.86, 0.08, 0.12}, green{0.10, 0.65, 0.25};
inline constexpr Color ink{0.13, 0.15, 0.18};    ///< text
inline constexpr Color muted{0.40, 0.43, 0.47};  ///< tick labels, captions
inline constexpr Color rule{0.72, 0.74, 0.77};   ///< frames and axes
inline constexpr Color grid{0.90, 0.91, 0.93};   ///< grid lines
inline constexpr Color band{0.96, 0.97, 0.985};  ///< a shaded range behind a chart
}  // namespace colors

/// How a value becomes a colour.
enum class ColorMap {
  grey,       ///< black at the low end, white at the high end
  blue_red,   ///< blue, green, yellow, red: the NTM paper's copy figures, where doubt shows as green and
              ///< yellow
  diverging,  ///< blue, white, red: signed values around the middle of the range
};

/// The colour of `t` in [0, 1]. Values outside are clamped; NaN is magenta, so that it is seen.
Color map_color(ColorMap map, double t);

/// The colour of the i-th line of a plot: the Okabe-Ito palette, which colour-blind readers can tell apart.
/// Repeats after `line_color_count`.
Color line_color(std::size_t i);
inline constexpr std::size_t line_color_count = 7;

}  // namespace fovea::tools

#endif
