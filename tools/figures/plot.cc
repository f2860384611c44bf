#include "tools/figures/plot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "tools/figures/ticks.h"

namespace fovea::tools {
namespace {

constexpr TextStyle label_style{.size = 13};
constexpr TextStyle tick_style{.size = 12, .color = colors::muted};
constexpr double legend_line = 20, legend_key = 26;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();

  void include(double v) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  bool empty() const { return !(low <= high); }
};

// Maps data to pixels.
struct Axes {
  Rect area;
  Range x, y;
  bool log_y;

  double px(double v) const { return area.x + (v - x.low) / (x.high - x.low) * area.width; }
  double py(double v) const {
    const double t = log_y ? std::log(v / y.low) / std::log(y.high / y.low) : (v - y.low) / (y.high - y.low);
    return area.bottom() - t * area.height;
  }
  bool shows(double vx, double vy) const {
    return std::isfinite(vx) && std::isfinite(vy) && (!log_y || vy > 0);
  }
};

double crisp(double v) {
  return std::floor(v) + 0.5;
}  // the middle of a pixel: a line of width 1 stays sharp

Range x_range(const LinePlot& plot) {
  Range r;
  for (const Series& s : plot.series) {
    for (const double v : s.x) {
      if (std::isfinite(v)) r.include(v);
    }
  }
  if (r.empty()) r = {0, 1};
  if (r.low > 0 && r.low < 0.1 * r.high) r.low = 0;
  if (plot.band) r.include(plot.band->low), r.include(plot.band->high);
  r.low = plot.x_min.value_or(r.low);
  r.high = plot.x_max.value_or(r.high);
  if (!(r.high > r.low)) r = {r.low - 0.5, r.low + 0.5};
  return r;
}

Range y_range(const LinePlot& plot) {
  Range r;
  const auto include = [&](double v) {
    if (std::isfinite(v) && (!plot.log_y || v > 0)) r.include(v);
  };
  for (const Series& s : plot.series) {
    for (const double v : s.y) include(v);
  }
  if (plot.reference) include(plot.reference->y);
  if (r.empty()) r = plot.log_y ? Range{0.1, 1} : Range{0, 1};
  if (plot.log_y) {
    const double pad = std::max(std::pow(r.high / r.low, 0.05), 1.05);
    r = {r.low / pad, r.high * pad};
  } else {
    if (r.low > 0 && r.low < 0.4 * r.high) r.low = 0;
    const double pad = r.high > r.low ? 0.05 * (r.high - r.low) : std::max(0.1 * std::abs(r.high), 0.5);
    const bool label_below = plot.reference && plot.reference->y < r.low + pad;
    if (r.low != 0 || r.high <= 0) r.low -= label_below ? 2 * pad : pad;
    r.high += pad;
  }
  r.low = plot.y_min.value_or(r.low);
  r.high = plot.y_max.value_or(r.high);
  if (!(r.high > r.low) || (plot.log_y && r.low <= 0)) {
    throw std::invalid_argument("plot \"" + plot.title + "\": the ends given for the y axis leave no range");
  }
  return r;
}

// At most four points for each pixel column (first, lowest, highest, last): looks the same, and keeps files
// small.
std::vector<Point> thinned(const std::vector<Point>& points) {
  std::vector<Point> out;
  for (std::size_t begin = 0, end = 0; begin < points.size(); begin = end) {
    const double column = std::floor(points[begin].x);
    while (end < points.size() && std::floor(points[end].x) == column) ++end;
    const auto first = points.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = points.begin() + static_cast<std::ptrdiff_t>(end);
    if (end - begin <= 4) {
      out.insert(out.end(), first, last);
      continue;
    }
    auto [a, b] = std::minmax_element(first, last, [](const Point& p, const Point& q) { return p.y < q.y; });
    if (b < a) std::swap(a, b);
    out.insert(out.end(), {*first, *a, *b, *(last - 1)});
  }
  return out;
}

void draw_line(Canvas& canvas, const Axes& axes, const std::vector<double>& x, const std::vector<double>& y,
               const Stroke& stroke, bool markers, bool line = true) {
  std::vector<Point> run;
  const auto finish = [&] {
    if (line && run.size() > 1) canvas.polyline(thinned(run), stroke);
    if (markers || run.size() == 1) {
      for (const Point& p : run) canvas.fill_circle(p, stroke.width + 1.5, stroke.color);
    }
    run.clear();
  };
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (axes.shows(x[i], y[i])) {
      run.push_back({axes.px(x[i]), axes.py(y[i])});
    } else {
      finish();
    }
  }
  finish();
}

Stroke series_stroke(const LinePlot& plot,
                     std::size_t i) {  // dashes tell lines apart once the colours repeat
  i = plot.series[i].color.value_or(i);
  return {line_color(i), 2, (i / line_color_count) % 2 == 1 ? 6.0 : 0.0};
}

// Where each legend entry goes; the rows stand between title and chart, where no curve can run through them.
std::vector<Point> place_legend(const Canvas& canvas, const LinePlot& plot, double x, double y) {
  std::vector<Point> places;
  double at = x;
  for (const Series& s : plot.series) {
    const double width = legend_key + 8 + canvas.text_width(s.name, label_style) + 22;
    if (at > x && at + width > plot.width) {
      at = x;
      y += legend_line;
    }
    places.push_back({at, y});
    at += width;
  }
  return places;
}

}  // namespace

std::vector<double> running_mean(const std::vector<double>& values, std::size_t window) {
  const std::size_t n = values.size();
  std::vector<double> sum(n + 1), out(values);
  std::vector<std::size_t> count(n + 1);
  for (std::size_t i = 0; i < n; ++i) {
    const bool counts = std::isfinite(values[i]);
    sum[i + 1] = sum[i] + (counts ? values[i] : 0);
    count[i + 1] = count[i] + (counts ? 1 : 0);
  }
  const std::size_t before = window / 2, after = window - before;
  for (std::size_t i = 0; i < n; ++i) {
    if (!std::isfinite(values[i])) continue;
    const std::size_t begin = i > before ? i - before : 0,
                      end = std::min(n, i + std::max<std::size_t>(after, 1));
    out[i] = (sum[end] - sum[begin]) / static_cast<double>(count[end] - count[begin]);
  }
  return out;
}

Canvas draw(const LinePlot& plot) {
  for (const Series& s : plot.series) {
    if (s.x.size() != s.y.size()) {
      throw std::invalid_argument("plot \"" + plot.title + "\": series \"" + s.name + "\" has " +
                                  std::to_string(s.x.size()) + " x and " + std::to_string(s.y.size()) + " y");
    }
  }
  Canvas canvas(plot.width, plot.height);
  const bool legend = plot.series.size() > 1 || (plot.series.size() == 1 && !plot.series[0].name.empty());

  // Margins: what stands around the chart decides its area.
  Axes axes{{}, x_range(plot), y_range(plot), plot.log_y};
  const int y_count = std::max(2, static_cast<int>(plot.height / 70));
  const auto y_ticks = plot.log_y ? log_ticks(axes.y.low, axes.y.high, y_count)
                                  : linear_ticks(axes.y.low, axes.y.high, y_count);
  double tick_width = 0;
  for (const Tick& t : y_ticks) tick_width = std::max(tick_width, canvas.text_width(t.label, tick_style));
  const double left = std::ceil(16 + (plot.y_label.empty() ? 0 : 24) + tick_width + 8);
  double top = plot.title.empty() ? 16 : 42;
  std::vector<Point> legend_places;
  if (legend) {
    legend_places = place_legend(canvas, plot, left, top + 10);
    top = legend_places.back().y + 18;
  }
  const double bottom = 30 + (plot.x_label.empty() ? 0 : 24);
  const int x_count = std::max(2, static_cast<int>((plot.width - left) / 90));
  const auto x_ticks = linear_ticks(axes.x.low, axes.x.high, x_count, plot.x_unit);
  const double last_tick = x_ticks.empty() ? 0 : canvas.text_width(x_ticks.back().label, tick_style);
  const double right = std::ceil(std::max(26.0, last_tick / 2 + 8));
  axes.area = {left, top, plot.width - left - right, plot.height - top - bottom};
  const Rect& area = axes.area;
  if (area.width < 20 || area.height < 20) {
    throw std::invalid_argument("plot \"" + plot.title +
                                "\": no room for the chart; give it more width and height");
  }

  // Grid, ticks, labels.
  if (plot.band) {
    const double from = std::max(axes.px(plot.band->low), area.x),
                 to = std::min(axes.px(plot.band->high), area.right());
    canvas.fill_rect({from, area.y, to - from, area.height}, colors::band);
    canvas.text({from + 6, area.y + 17}, plot.band->label, tick_style);
  }
  if (!plot.title.empty()) canvas.text({left, 28}, plot.title, title_style);
  for (const Tick& t : y_ticks) {
    const double y = crisp(axes.py(t.at));
    canvas.line({area.x, y}, {area.right(), y}, {colors::grid});
    TextStyle style = tick_style;
    style.align = Align::right;
    canvas.text({area.x - 8, y + 4}, t.label, style);
  }
  for (const Tick& t : x_ticks) {
    const double x = crisp(axes.px(t.at));
    canvas.line({x, area.y}, {x, area.bottom()}, {colors::grid});
    canvas.line({x, area.bottom()}, {x, area.bottom() + 4}, {colors::rule});
    TextStyle style = tick_style;
    style.align = Align::center;
    canvas.text({x, area.bottom() + 19}, t.label, style);
  }
  canvas.line({crisp(area.x), area.y}, {crisp(area.x), area.bottom()}, {colors::rule});
  canvas.line({area.x, crisp(area.bottom())}, {area.right(), crisp(area.bottom())}, {colors::rule});
  canvas.text({area.x + area.width / 2, plot.height - 14}, plot.x_label,
              {.size = 13, .align = Align::center});
  canvas.text({24, area.y + area.height / 2}, plot.y_label,
              {.size = 13, .align = Align::center, .angle = 90});
  for (std::size_t i = 0; i < legend_places.size(); ++i) {
    const Point at = legend_places[i];
    const Series& s = plot.series[i];
    const Stroke stroke = series_stroke(plot, i);
    if (!s.dots) canvas.line({at.x, at.y - 4.5}, {at.x + legend_key, at.y - 4.5}, stroke);
    if (s.dots || plot.markers) canvas.fill_circle({at.x + legend_key / 2, at.y - 4.5}, 3.5, stroke.color);
    canvas.text({at.x + legend_key + 8, at.y}, s.name, label_style);
  }

  // Lines: all raw ones first, so that no running mean is hidden under another series' noise.
  canvas.clip({area.x, area.y - 4, area.width + 4, area.height + 8});
  const bool smooth = plot.smoothing > 1;
  for (std::size_t i = 0; smooth && i < plot.series.size(); ++i) {
    const Series& s = plot.series[i];
    if (!s.dots) draw_line(canvas, axes, s.x, s.y, {series_stroke(plot, i).color.faded(0.22), 1}, false);
  }
  if (plot.reference && axes.shows(0, plot.reference->y)) {
    const double y = crisp(axes.py(plot.reference->y));
    canvas.line({area.x, y}, {area.right(), y}, {colors::ink, 1.5, 5});
  }
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const Series& s = plot.series[i];
    draw_line(canvas, axes, s.x, smooth && !s.dots ? running_mean(s.y, plot.smoothing) : s.y,
              series_stroke(plot, i), plot.markers || s.dots, !s.dots);
  }
  canvas.unclip();
  if (plot.reference && axes.shows(0, plot.reference->y)) {
    const double y = axes.py(plot.reference->y);
    const bool below = area.bottom() - y > 24;  // curves come down from above, so below the line is free
    if (y >= area.y - 1 && y <= area.bottom() + 1) {
      canvas.text({area.right() - 6, below ? y + 17 : y - 7}, plot.reference->label,
                  {.size = 12, .align = Align::right, .halo = true});
    }
  }
  return canvas;
}

}  // namespace fovea::tools
