#include "tools/transformer/figures.h"

#include <algorithm>
#include <cmath>

#include "fovea/ops/positions.h"
#include "tools/figures/panel_grid.h"
#include "tools/figures/plot.h"

namespace fovea::tools {
namespace {

// From one word to another, level at both ends.
std::vector<Point> curve(Point from, Point to) {
  constexpr int parts = 16;
  std::vector<Point> points;
  for (int i = 0; i <= parts; ++i) {
    const double t = static_cast<double>(i) / parts, s = t * t * (3 - 2 * t);
    points.push_back({from.x + t * (to.x - from.x), from.y + s * (to.y - from.y)});
  }
  return points;
}

}  // namespace

Canvas draw_self_attention(const std::vector<std::string>& words, const Tensor& weights) {
  constexpr double row = 22, span = 130, border = 16, gap = 24, heading = 28;
  constexpr int across = 4;
  const auto H = static_cast<int>(weights.size(0));
  const auto S = static_cast<Index>(words.size());
  require(weights.rank() == 3 && weights.size(1) == S && weights.size(2) == S, "figures", "weights ",
          weights.shape(), " are not [H,", S, ",", S, "] of ", S, " words");
  const TextStyle right{.size = 13, .align = Align::right}, left{.size = 13};
  double text = 0;
  const Canvas ruler(1, 1);
  for (const std::string& word : words) text = std::max(text, ruler.text_width(word, right));
  text = std::ceil(text + 6);
  const double width = 2 * text + span, height = heading + static_cast<double>(S) * row;
  const int columns = std::min(H, across), rows = (H + across - 1) / across;
  Canvas canvas(2 * border + columns * width + (columns - 1) * gap,
                2 * border + rows * height + (rows - 1) * gap);
  const auto values = weights.values<float>();
  for (int h = 0; h < H; ++h) {
    const double x = border + h % across * (width + gap), y = border + h / across * (height + gap);
    canvas.text(
        {x + width / 2, y + 14}, cat("head ", h + 1),
        {.size = 13, .color = line_color(static_cast<std::size_t>(h)), .align = Align::center, .bold = true});
    const auto middle = [&](Index i) { return y + heading + (static_cast<double>(i) + 0.5) * row; };
    for (Index i = 0; i < S; ++i)
      for (Index j = 0; j < S; ++j) {
        const double weight = values[static_cast<std::size_t>((h * S + i) * S + j)];
        if (weight < 0.02) continue;  // not to be seen
        canvas.polyline(curve({x + text, middle(i)}, {x + text + span, middle(j)}),
                        {line_color(static_cast<std::size_t>(h)).faded(std::min(1.0, weight)), 2.5});
      }
    for (Index i = 0; i < S; ++i) {
      const std::string& word = words[static_cast<std::size_t>(i)];
      canvas.text({x + text - 5, middle(i) + 4}, word, right);
      canvas.text({x + text + span + 5, middle(i) + 4}, word, left);
    }
  }
  return canvas;
}

Canvas draw_positions(Index positions, Index dim) {
  Panel panel{.title = "Sines and cosines that say where a word stands",
              .x_label = "number of the word's vector",
              .y_label = "position",
              .map = ColorMap::diverging,
              .low = -1,
              .high = 1};
  panel.rows = static_cast<int>(positions);
  panel.cols = static_cast<int>(dim);
  const Tensor table = sinusoidal_positions(positions, dim);
  const auto values = table.values<float>();
  panel.values.assign(values.begin(), values.end());
  return draw(panel);
}

Canvas draw_learning_rate(const TrainingSettings& s) {
  LinePlot plot{.title = "Learning rate", .x_label = "updates", .y_label = "learning rate"};
  const Schedule schedule = make_schedule(s);
  Series series;
  for (Index step = 0; step < s.steps; step += std::max<Index>(1, s.steps / 500)) {
    series.x.push_back(static_cast<double>(step));
    series.y.push_back(schedule(step));
  }
  plot.series.push_back(std::move(series));
  plot.y_min = 0;
  return draw(plot);
}

}  // namespace fovea::tools
