#ifndef FOVEA_TOOLS_FIGURES_HEAT_MAP_H_
#define FOVEA_TOOLS_FIGURES_HEAT_MAP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/figures/canvas.h"

namespace fovea::tools {

/// Something drawn over a panel, in cells from its top left corner: (0, 0) is the corner of the first cell
/// and (0.5, 0.5) its middle. The arrow of NTM figure 5, the dots of figure 9, DRAW's window, an STN's
/// quadrilateral.
struct Mark {
  enum class Shape {
    dots,     ///< a dot at each point
    outline,  ///< a closed line through the points
    line,     ///< an open line through the points
    arrow,    ///< from the first point to the second
  };
  Shape shape = Shape::dots;
  std::vector<Point> points = {};
  Color color = colors::red;
  double width = 2;  ///< of the line, or the radius of the dots, in pixels
};

/// The outline of a rectangle whose top left corner is cell (x, y).
Mark box(double x, double y, double width, double height, Color color = colors::red, double line_width = 2);

/// How large a cell of a panel is drawn, in pixels.
struct Cell {
  double width, height;
  Cell(double side) : width(side), height(side) {}
  Cell(double width, double height) : width(width), height(height) {}
};

/// One matrix as coloured cells, row 0 at the top.
struct Panel {
  std::string title = {};
  std::string x_label = {}, y_label = {};
  int rows = 0, cols = 0;
  std::vector<float> values = {};  ///< row-major, rows * cols of them
  ColorMap map = ColorMap::grey;
  double low = 0, high = 1;  ///< values drawn in the first and the last colour of the map
  bool grid = false;         ///< thin lines between cells
  /// A word beside each row, above each column (or none).
  std::vector<std::string> row_names = {}, column_names = {};
  /// The numbers of the first row and column: axes then have ticks, at round numbers.
  std::optional<int> first_row = {}, first_column = {};
  std::vector<Mark> marks = {};
  std::vector<std::uint8_t> rgb = {};  ///< a colour picture instead of values: rows * cols * 3 bytes
};

/// A picture with one pixel for each cell. Throws std::invalid_argument where the numbers of values, names
/// and cells do not fit together.
RgbImage cells_of(const Panel& panel);

/// Draws the cells, marks and frame of a panel (no text) with its top left corner at `corner`.
void draw_cells(Canvas& canvas, const Panel& panel, Point corner, Cell cell);

/// Draws a vertical colour bar with ticks for the map and the range of `panel`; text goes up to 50 pixels to
/// the right.
void draw_color_bar(Canvas& canvas, const Panel& panel, const Rect& bar);

}  // namespace fovea::tools

#endif
