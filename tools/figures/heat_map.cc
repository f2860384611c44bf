#include "tools/figures/heat_map.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "tools/figures/ticks.h"

namespace fovea::tools {
namespace {

void put(std::uint8_t* pixel, const Color& c) {
  const double parts[] = {c.r, c.g, c.b};
  for (int k = 0; k < 3; ++k) pixel[k] = static_cast<std::uint8_t>(std::lround(255 * parts[k]));
}

void draw_arrow(Canvas& canvas, Point from, Point to, const Stroke& stroke) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  if (length == 0) return;
  const double ux = (to.x - from.x) / length, uy = (to.y - from.y) / length;
  const double head = std::min(4 * stroke.width, length), half = 0.45 * head;
  const Point neck{to.x - head * ux, to.y - head * uy};
  canvas.line(from, neck, stroke);
  const Point tip[] = {
      to, {neck.x - half * uy, neck.y + half * ux}, {neck.x + half * uy, neck.y - half * ux}};
  canvas.fill_polygon(tip, stroke.color);
}

void draw_mark(Canvas& canvas, const Mark& mark, Point corner, Cell cell) {
  std::vector<Point> points;
  for (const Point& p : mark.points)
    points.push_back({corner.x + p.x * cell.width, corner.y + p.y * cell.height});
  const Stroke stroke{mark.color, mark.width};
  switch (mark.shape) {
    case Mark::Shape::dots:
      for (const Point& p : points) canvas.fill_circle(p, mark.width, mark.color);
      break;
    case Mark::Shape::outline:
    case Mark::Shape::line:
      canvas.polyline(points, stroke, mark.shape == Mark::Shape::outline);
      break;
    case Mark::Shape::arrow:
      if (points.size() == 2) draw_arrow(canvas, points[0], points[1], stroke);
      break;
  }
}

[[noreturn]] void misfit(const Panel& panel, const std::string& what, std::size_t count) {
  throw std::invalid_argument("panel \"" + panel.title + "\" of " + std::to_string(panel.rows) + " x " +
                              std::to_string(panel.cols) + " cells has " + std::to_string(count) + " " +
                              what);
}

}  // namespace

Mark box(double x, double y, double width, double height, Color color, double line_width) {
  return {Mark::Shape::outline,
          {{x, y}, {x + width, y}, {x + width, y + height}, {x, y + height}},
          color,
          line_width};
}

RgbImage cells_of(const Panel& panel) {
  if (panel.rows < 1 || panel.cols < 1) misfit(panel, "values", panel.values.size());
  const auto rows = static_cast<std::size_t>(panel.rows), cols = static_cast<std::size_t>(panel.cols);
  if (!panel.row_names.empty() && panel.row_names.size() != rows)
    misfit(panel, "row names", panel.row_names.size());
  if (!panel.column_names.empty() && panel.column_names.size() != cols) {
    misfit(panel, "column names", panel.column_names.size());
  }
  RgbImage image(panel.cols, panel.rows);
  if (!panel.rgb.empty()) {
    if (panel.rgb.size() != rows * cols * 3) misfit(panel, "bytes of colour", panel.rgb.size());
    image.pixels = panel.rgb;
    return image;
  }
  if (panel.values.size() != rows * cols) misfit(panel, "values", panel.values.size());
  if (!(panel.high > panel.low))
    throw std::invalid_argument("panel \"" + panel.title + "\": high must be above low");
  for (std::size_t i = 0; i < panel.values.size(); ++i) {
    const double t = (static_cast<double>(panel.values[i]) - panel.low) / (panel.high - panel.low);
    put(&image.pixels[3 * i], map_color(panel.map, t));
  }
  return image;
}

void draw_cells(Canvas& canvas, const Panel& panel, Point corner, Cell cell) {
  const Rect area{corner.x, corner.y, panel.cols * cell.width, panel.rows * cell.height};
  canvas.image(area, cells_of(panel));
  if (panel.grid && std::min(cell.width, cell.height) >= 4) {
    const Stroke thin{{0.5, 0.5, 0.5, 0.35}};
    for (int i = 1; i < panel.cols; ++i) {
      const double x = std::floor(area.x + i * cell.width) + 0.5;
      canvas.line({x, area.y}, {x, area.bottom()}, thin);
    }
    for (int i = 1; i < panel.rows; ++i) {
      const double y = std::floor(area.y + i * cell.height) + 0.5;
      canvas.line({area.x, y}, {area.right(), y}, thin);
    }
  }
  canvas.stroke_rect({area.x - 0.5, area.y - 0.5, area.width + 1, area.height + 1}, {colors::rule});
  for (const Mark& mark : panel.marks) draw_mark(canvas, mark, corner, cell);
}

void draw_color_bar(Canvas& canvas, const Panel& panel, const Rect& bar) {
  Panel ramp{.rows = std::max(2, static_cast<int>(bar.height)), .cols = 1, .map = panel.map};
  for (int i = 0; i < ramp.rows; ++i)
    ramp.values.push_back(1 - static_cast<float>(i) / static_cast<float>(ramp.rows - 1));
  canvas.image(bar, cells_of(ramp));
  canvas.stroke_rect({bar.x - 0.5, bar.y - 0.5, bar.width + 1, bar.height + 1}, {colors::rule});
  int count = std::clamp(static_cast<int>(bar.height / 28), 1, 5);
  auto ticks = linear_ticks(panel.low, panel.high, count);
  while (ticks.size() < 2 && count < 6)
    ticks = linear_ticks(panel.low, panel.high, ++count);  // one is no scale
  for (const Tick& t : ticks) {
    const double f = (t.at - panel.low) / (panel.high - panel.low);
    const double y = std::floor(bar.bottom() - f * bar.height) + 0.5;
    canvas.line({bar.right(), y}, {bar.right() + 4, y}, {colors::rule});
    canvas.text({bar.right() + 8, y + 4}, t.label, {.size = 12, .color = colors::muted});
  }
}

}  // namespace fovea::tools
