#include "tools/figures/panel_grid.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "tools/figures/ticks.h"

namespace fovea::tools {
namespace {

constexpr double border = 16, gap = 14, max_cell = 14;
constexpr double bar_width = 14, bar_room = bar_width + 58;
constexpr TextStyle heading_style{.size = 14, .align = Align::center, .bold = true};
constexpr TextStyle panel_style{.size = 13, .align = Align::center};
constexpr TextStyle axis_style{.size = 12, .color = colors::muted, .align = Align::center};
constexpr TextStyle number_style{.size = 11, .color = colors::muted};
constexpr double tick_line = 4, tick_row = 17;  // the length of a tick; the height of a row of tick labels

TextStyle name_style(Cell cell) {
  return {.size = std::clamp(cell.height * 0.8, 8.0, 13.0), .color = colors::ink, .align = Align::right};
}

// How far marks reach out above and below the cells.
double marks_above(const Panel& p, Cell cell) {
  double reach = 0;
  for (const Mark& m : p.marks) {
    for (const Point& at : m.points) reach = std::max(reach, -at.y * cell.height);
  }
  return std::ceil(reach);
}

double marks_below(const Panel& p, Cell cell) {
  double reach = 0;
  for (const Mark& m : p.marks) {
    for (const Point& at : m.points) reach = std::max(reach, (at.y - p.rows) * cell.height);
  }
  return std::ceil(reach);
}

std::vector<Tick> row_ticks(const Panel& p, Cell cell) {
  if (!p.first_row) return {};
  return whole_ticks(*p.first_row, p.rows, static_cast<int>(p.rows * cell.height / 24));
}
std::vector<Tick> column_ticks(const Panel& p, Cell cell) {
  if (!p.first_column) return {};
  return whole_ticks(*p.first_column, p.cols, static_cast<int>(p.cols * cell.width / 26));
}

// Where everything stands, before anything is drawn.
struct Layout {
  double width = 0, height = 0, content_top = 0, content_bottom = 0, content_right = 0;
  bool upright_labels = false;  // y labels written horizontally: the panels are too low to rotate them
  std::vector<std::vector<Point>> corners;  // of each panel's first cell
};

class Planner {
 public:
  Planner(const Canvas& canvas, const PanelGrid& grid, Cell cell)
      : canvas_(canvas), grid_(grid), cell_(cell) {}

  Layout plan() {
    Layout out;
    for_each([&](std::size_t, std::size_t, const Panel& p) {
      if (canvas_.text_width(p.y_label, axis_style) > p.rows * cell_.height + 8) out.upright_labels = true;
    });
    measure_left(out.upright_labels);
    double y = border + (grid_.title.empty() ? 0 : 30) + (grid_.column_titles.empty() ? 0 : 24);
    std::size_t band_begin = 0;
    for (std::size_t r = 0; r < grid_.rows.size(); ++r) {
      if (!same_columns(r, band_begin)) band_begin = r;
      const auto& row = grid_.rows[r];
      double above = 0, below = 0, cells = 0;
      for (const Panel& p : row) {
        above = std::max(above, (p.title.empty() ? 0 : 20) + names_height(p) + marks_above(p, cell_));
        below = std::max(
            below, (p.x_label.empty() ? 0 : 20) + (p.first_column ? tick_row : 0) + marks_below(p, cell_));
        cells = std::max(cells, p.rows * cell_.height);
      }
      if (r == 0) out.content_top = std::ceil(y + above);
      double x = border;
      std::vector<Point> corners;
      for (std::size_t c = 0; c < row.size(); ++c) {
        const double slot = band_slot(band_begin, c);
        x += left_[c];
        corners.push_back({std::floor(x + (slot - row[c].cols * cell_.width) / 2), std::ceil(y + above)});
        x += slot + gap;
      }
      out.content_right = std::max(out.content_right, x - gap);
      out.corners.push_back(std::move(corners));
      out.content_bottom = std::ceil(y + above) + cells;
      y = out.content_bottom + below + gap;
    }
    out.width = out.content_right + (grid_.color_bar || grid_.row_bars ? bar_room : 0) + border;
    out.width = std::max(out.width, canvas_.text_width(grid_.title, title_style) + 2 * border);
    out.width = std::ceil(out.width);
    out.height = std::ceil(y - gap + border);
    return out;
  }

 private:
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t r = 0; r < grid_.rows.size(); ++r) {
      for (std::size_t c = 0; c < grid_.rows[r].size(); ++c) f(r, c, grid_.rows[r][c]);
    }
  }

  // Room left of the c-th panel of any row, so that the rows share their left edges.
  void measure_left(bool upright) {
    for_each([&](std::size_t, std::size_t c, const Panel& p) {
      if (left_.size() <= c) left_.resize(c + 1);
      double room = 0;
      if (!p.y_label.empty()) room += upright ? canvas_.text_width(p.y_label, axis_style) + 10 : 22;
      double names = 0;
      for (const auto& name : p.row_names)
        names = std::max(names, canvas_.text_width(name, name_style(cell_)) + 7);
      for (const Tick& t : row_ticks(p, cell_))
        names = std::max(names, canvas_.text_width(t.label, number_style) + tick_line + 4);
      left_[c] = std::max(left_[c], std::ceil(room + names));
    });
  }

  // The height of column names, which are written at 50 degrees.
  double names_height(const Panel& p) const {
    double longest = 0;
    for (const auto& name : p.column_names)
      longest = std::max(longest, canvas_.text_width(name, name_style(cell_)));
    return longest > 0 ? std::ceil(longest * 0.77 + 14) : 0;
  }

  // Rows whose panels are as wide line up, and all do that have a panel for every title.
  bool same_columns(std::size_t a, std::size_t b) const {
    const auto titled = [&](std::size_t r) { return grid_.rows[r].size() == grid_.column_titles.size(); };
    if (!grid_.column_titles.empty() && titled(a) && titled(b)) return true;
    return std::ranges::equal(grid_.rows[a], grid_.rows[b], {}, &Panel::cols, &Panel::cols);
  }

  // The width kept for the c-th panel: its cells or its texts, over all rows that line up with it.
  double band_slot(std::size_t begin, std::size_t c) const {
    double slot = 0;
    for (std::size_t r = begin; r < grid_.rows.size() && same_columns(r, begin); ++r) {
      const Panel& p = grid_.rows[r][c];
      slot = std::max({slot, p.cols * cell_.width, canvas_.text_width(p.title, panel_style),
                       canvas_.text_width(p.x_label, axis_style)});
      if (!p.column_names.empty()) {  // the last names lean out to the right
        slot = std::max(slot, p.cols * cell_.width +
                                  2 * (canvas_.text_width(p.column_names.back(), name_style(cell_)) * 0.64 -
                                       cell_.width / 2));
      }
    }
    if (begin == 0 && c < grid_.column_titles.size()) {
      slot = std::max(slot, canvas_.text_width(grid_.column_titles[c], heading_style));
    }
    return std::ceil(slot);
  }

  const Canvas& canvas_;
  const PanelGrid& grid_;
  Cell cell_;
  std::vector<double> left_;
};

void draw_panel(Canvas& canvas, const Panel& p, Point corner, Cell cell, bool upright_labels) {
  const double width = p.cols * cell.width, height = p.rows * cell.height;
  draw_cells(canvas, p, corner, cell);
  TextStyle names = name_style(cell);
  double names_width = 0, names_above = 0;
  for (std::size_t i = 0; i < p.row_names.size(); ++i) {
    const double y = corner.y + (static_cast<double>(i) + 0.5) * cell.height + 0.36 * names.size;
    canvas.text({corner.x - 6, y}, p.row_names[i], names);
    names_width = std::max(names_width, canvas.text_width(p.row_names[i], names) + 7);
  }
  for (const Tick& t : row_ticks(p, cell)) {
    const double y = corner.y + (t.at - *p.first_row + 0.5) * cell.height;
    canvas.line({corner.x - tick_line, y}, {corner.x, y}, {colors::rule});
    TextStyle style = number_style;
    style.align = Align::right;
    canvas.text({corner.x - tick_line - 3, y + 4}, t.label, style);
    names_width = std::max(names_width, canvas.text_width(t.label, style) + tick_line + 4);
  }
  for (const Tick& t : column_ticks(p, cell)) {
    const double x = corner.x + (t.at - *p.first_column + 0.5) * cell.width;
    canvas.line({x, corner.y + height}, {x, corner.y + height + tick_line}, {colors::rule});
    TextStyle style = number_style;
    style.align = Align::center;
    canvas.text({x, corner.y + height + tick_row - 2}, t.label, style);
  }
  names.align = Align::left;
  names.angle = 50;
  for (std::size_t i = 0; i < p.column_names.size(); ++i) {
    const double x = corner.x + (static_cast<double>(i) + 0.5) * cell.width + 0.25 * names.size;
    canvas.text({x, corner.y - 6 - marks_above(p, cell)}, p.column_names[i], names);
    names_above = std::max(names_above, std::ceil(canvas.text_width(p.column_names[i], names) * 0.77 + 14));
  }
  canvas.text({corner.x + width / 2, corner.y - 7 - names_above - marks_above(p, cell)}, p.title,
              panel_style);
  canvas.text(
      {corner.x + width / 2, corner.y + height + 17 + (p.first_column ? tick_row : 0) + marks_below(p, cell)},
      p.x_label, axis_style);
  TextStyle label = axis_style;
  if (upright_labels) {
    label.align = Align::right;
    canvas.text({corner.x - 9 - names_width, corner.y + height / 2 + 4}, p.y_label, label);
  } else {
    label.angle = 90;
    canvas.text({corner.x - 9 - names_width, corner.y + height / 2}, p.y_label, label);
  }
}

}  // namespace

Canvas draw(const PanelGrid& grid) {
  if (grid.rows.empty() || grid.rows[0].empty()) {
    throw std::invalid_argument("figure \"" + grid.title + "\" has no panels");
  }
  const Canvas ruler(1, 1);  // only measures text
  double height = grid.cell > 0 ? grid.cell : max_cell;
  const auto cell = [&] { return Cell(grid.aspect * height, height); };
  Layout layout = Planner(ruler, grid, cell()).plan();
  const auto too_big = [&] { return layout.width > grid.max_width || layout.height > grid.max_height; };
  while (grid.cell <= 0 && height > 1 && too_big()) {
    --height;
    layout = Planner(ruler, grid, cell()).plan();
  }

  Canvas canvas(layout.width, layout.height);
  canvas.text({border, 30}, grid.title, title_style);
  for (std::size_t c = 0; c < std::min(grid.column_titles.size(), grid.rows[0].size()); ++c) {
    const double middle = layout.corners[0][c].x + grid.rows[0][c].cols * cell().width / 2;
    canvas.text({middle, border + (grid.title.empty() ? 14 : 44)}, grid.column_titles[c], heading_style);
  }
  for (std::size_t r = 0; r < grid.rows.size(); ++r) {
    for (std::size_t c = 0; c < grid.rows[r].size(); ++c) {
      draw_panel(canvas, grid.rows[r][c], layout.corners[r][c], cell(), layout.upright_labels);
    }
  }
  const auto bar = [&](const Panel& panel, double top, double room) {
    draw_color_bar(canvas, panel, {layout.content_right + 20, top, bar_width, std::min(room, 240.0)});
  };
  if (grid.color_bar) bar(grid.rows[0][0], layout.content_top, layout.content_bottom - layout.content_top);
  for (std::size_t r = 0; grid.row_bars && r < grid.rows.size(); ++r)
    bar(grid.rows[r][0], layout.corners[r][0].y, grid.rows[r][0].rows * height);
  return canvas;
}

Canvas draw(const Panel& panel, double max_width, double max_height) {
  PanelGrid grid{.title = panel.title, .rows = {{panel}}, .max_width = max_width, .color_bar = true};
  grid.rows[0][0].title.clear();
  const double by_width = std::floor((max_width - 160) / std::max(panel.cols, 1));
  const double by_height = std::floor((max_height - 110) / std::max(panel.rows, 1));
  grid.cell = std::clamp(std::min(by_width, by_height), 1.0, 32.0);
  return draw(grid);
}

}  // namespace fovea::tools
