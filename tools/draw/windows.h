#ifndef FOVEA_TOOLS_DRAW_WINDOWS_H_
#define FOVEA_TOOLS_DRAW_WINDOWS_H_

#include "fovea/ops/draw_attention.h"
#include "tools/figures/heat_map.h"

/// How DRAW's windows are drawn.

namespace fovea::tools {

/// The rectangle that a window's filters cover, as far as it lies on the panel. The line is half as wide
/// as sigma where a cell is `cell` pixels.
Mark window_mark(const DrawGrid& grid, const Panel& panel, Color color, double cell);

/// x [1,1,H,W] in greys from its lowest to its highest value, `width` cells wide: for small patches.
Panel stretched(const Tensor& x, Index width);

/// The middle of a pixel in cells of a panel, from pixels as DrawGrid counts them.
inline Point in_cells(double x, double y) { return {x + 0.5, y + 0.5}; }

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_DRAW_WINDOWS_H_
