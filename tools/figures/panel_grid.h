#ifndef FOVEA_TOOLS_FIGURES_PANEL_GRID_H_
#define FOVEA_TOOLS_FIGURES_PANEL_GRID_H_

#include <string>
#include <vector>

#include "tools/figures/heat_map.h"

namespace fovea::tools {

/// A figure of panels in rows. All panels share one cell size; each row flows from the left, and neighbouring
/// rows whose panels have the same numbers of columns line up. So NTM figure 4 is four rows: targets and
/// outputs of lengths 10, 20, 30 and 50, then the targets and the outputs of length 120; figure 6 is three
/// rows of two.
struct PanelGrid {
  std::string title = {};
  std::vector<std::string> column_titles =
      {};  ///< above the panels of the first row: "Write phase", "Read phase"
  std::vector<std::vector<Panel>> rows = {};
  /// Pixels a cell; 0: the largest whole number up to 14 with which the figure fits the two sizes below.
  double cell = 0;
  double max_width = 900, max_height = 760;
  double aspect = 1;  ///< the width of a cell over its height; `cell` is the height
  /// At the right: one for the map and range of the first panel, or one beside each row for those of the
  /// row's first.
  bool color_bar = false, row_bars = false;
};

/// Draws a figure. Throws std::invalid_argument for a panel whose values do not fit its size.
Canvas draw(const PanelGrid& grid);

/// Draws a single heat map with its colour bar, as large as fits `max_width` and `max_height`.
Canvas draw(const Panel& panel, double max_width = 900, double max_height = 600);

}  // namespace fovea::tools

#endif
