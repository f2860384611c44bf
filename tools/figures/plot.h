#ifndef FOVEA_TOOLS_FIGURES_PLOT_H_
#define FOVEA_TOOLS_FIGURES_PLOT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tools/figures/canvas.h"

namespace fovea::tools {

/// A named line of a chart: y over x, of equal lengths. A value that is not finite (or not positive on a
/// logarithmic axis) leaves a gap.
struct Series {
  std::string name = {};
  std::vector<double> x = {}, y = {};
  bool dots = false;                      ///< dots alone, none smoothed: what is measured now and then
  std::optional<std::size_t> color = {};  ///< that of the line in this place; otherwise its own
};

/// A dashed horizontal line across a chart, such as the best cost that is possible.
struct ReferenceLine {
  double y = 0;
  std::string label = {};
};

/// A shaded range of x, such as the sizes that a model was trained on.
struct Band {
  double low = 0, high = 0;
  std::string label = {};
};

/// A line chart: learning curves, generalisation curves.
struct LinePlot {
  std::string title = {};
  std::string x_label = {};  ///< with its unit: "sequences (thousands)"
  std::string y_label = {};  ///< with its unit: "cost per sequence (bits)"
  std::vector<Series> series = {};
  std::optional<ReferenceLine> reference = {};
  std::optional<Band> band = {};
  double x_unit = 1;     ///< ticks of the x axis show x / x_unit: 1000 for thousands
  bool log_y = false;    ///< logarithmic y axis
  bool markers = false;  ///< a dot at every point, for short series
  /// Over 1: each line is its running mean over so many points, with the raw line faint behind it.
  std::size_t smoothing = 1;
  /// Ends of the axes; otherwise from the data.
  std::optional<double> x_min = {}, x_max = {}, y_min = {}, y_max = {};
  double width = 900, height = 500;  ///< pixels
};

/// Draws a chart. Throws std::invalid_argument where a series has different numbers of x and y.
Canvas draw(const LinePlot& plot);

/// The mean of the `window` values around each value (fewer at the ends). Values that are not finite are left
/// out of the means and stay as they are.
std::vector<double> running_mean(const std::vector<double>& values, std::size_t window);

}  // namespace fovea::tools

#endif
