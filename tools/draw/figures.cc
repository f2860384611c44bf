#include "tools/draw/figures.h"

#include <algorithm>
#include <cmath>

#include "fovea/ops/matmul.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tools/draw/windows.h"
#include "tools/figures/animation.h"
#include "tools/figures/panel_grid.h"
#include "tools/figures/picture.h"

namespace fovea::tools {
namespace {

using draw::Learner;
using draw::Settings;
using draw::Trace;

// Whole pixels a cell, so that a picture is about `side` pixels wide.
double cell_for(const Settings& s, Index side) {
  return std::max<double>(1, static_cast<double>(side / std::max(s.height, s.width)));
}

// Up to ten steps of T, evenly from the first to the last.
std::vector<Index> moments(Index T) {
  const Index n = std::min<Index>(T, 10);
  std::vector<Index> steps;
  for (Index i = 0; i < n; ++i) steps.push_back(n == 1 ? T - 1 : (i * (T - 1) + (n - 1) / 2) / (n - 1));
  return steps;
}

std::vector<std::string> titles(const std::vector<Index>& steps, const std::string& first,
                                const std::string& last) {
  std::vector<std::string> all;
  if (!first.empty()) all.push_back(first);
  for (Index t : steps) all.push_back(cat("t = ", t + 1));
  if (!last.empty()) all.push_back(last);
  return all;
}

// A picture with the window that one of the steps has on it, when there are windows.
Panel framed(Panel panel, const std::vector<Tensor>& windows, Index t, Index b, Index n, Color color,
             double cell) {
  if (windows.empty()) return panel;
  const Tensor own = slice(windows[static_cast<std::size_t>(t)], 0, b, b + 1);
  panel.marks = {window_mark(draw_grids(own, n, panel.rows, panel.cols)[0], panel, color, cell)};
  return panel;
}

Tensor probabilities(const Trace& trace, Index t) {
  return sigmoid(trace.canvases[static_cast<std::size_t>(t)]);
}

Panel written(const Learner& learner, const Trace& trace, Index t, Index b, double cell) {
  return framed(picture(slice(probabilities(trace, t), 0, b, b + 1), 0), trace.write_windows, t, b,
                learner.settings().write_size, colors::red, cell);
}

LabelledImages some_test_pictures(const Learner& learner, Index count) {
  return learner.test_pictures(spread_indices(count, learner.pictures().test.size()));
}

// The panels as a square of n x n.
PanelGrid in_square(std::vector<Panel> panels, std::size_t n, const std::string& title, double cell) {
  PanelGrid grid{.title = title, .cell = cell};
  for (std::size_t i = 0; i < panels.size(); ++i) {
    if (i % n == 0) grid.rows.emplace_back();
    grid.rows.back().push_back(std::move(panels[i]));
  }
  return grid;
}

std::string of_steps(Index t, Index T) {
  return cat("t = ", t + 1 < 10 && T > 9 ? "\u2007" : "", t + 1, " of ", T);
}

}  // namespace

Canvas draw_generation(const Learner& learner, Index count, std::uint64_t seed) {
  const Settings& s = learner.settings();
  Trace trace;
  const Tensor done = learner.generate(count, seed, &trace);
  const std::vector<Index> steps = moments(s.glimpses);
  PanelGrid grid{.title = "New pictures, drawn step by step",
                 .column_titles = titles(steps, "", "done"),
                 .cell = cell_for(s, 84)};
  for (Index b = 0; b < count; ++b) {
    std::vector<Panel> row;
    for (Index t : steps) row.push_back(written(learner, trace, t, b, grid.cell));
    row.push_back(picture(done, b));
    grid.rows.push_back(std::move(row));
  }
  return draw(grid);
}

std::string animate_generation(const Learner& learner, std::uint64_t seed) {
  constexpr Index side = 8;
  const Settings& s = learner.settings();
  const double cell = cell_for(s, 60);
  Trace trace;
  const Tensor done = learner.generate(side * side, seed, &trace);
  std::vector<Frame> frames;
  const auto add = [&](const std::string& title, int delay_ms, auto&& panel) {
    std::vector<Panel> panels;
    for (Index b = 0; b < side * side; ++b) panels.push_back(panel(b));
    frames.push_back({draw(in_square(std::move(panels), side, title, cell)).rgb(), delay_ms});
  };
  for (Index t = 0; t < s.glimpses; ++t)
    add(of_steps(t, s.glimpses), static_cast<int>(std::clamp<Index>(4000 / s.glimpses, 80, 400)),
        [&](Index b) { return written(learner, trace, t, b, cell); });
  add("done", 2500, [&](Index b) { return picture(done, b); });
  return gif(frames);
}

Canvas draw_reconstructions(const Learner& learner, Index count, std::uint64_t seed) {
  const Settings& s = learner.settings();
  const Tensor images = some_test_pictures(learner, count).images, x = to_unit(images);
  Trace trace;
  const Tensor y = learner.reconstruct(images, seed, &trace);
  const std::vector<Index> steps = moments(s.glimpses);
  PanelGrid grid{.title = "Test pictures: where it reads (green), and what it draws and where (red)",
                 .column_titles = titles(steps, "picture", "done"),
                 .cell = cell_for(s, 84)};
  for (Index b = 0; b < x.size(0); ++b) {
    std::vector<Panel> reads{picture(x, b)}, writes{picture(x, b)};
    for (Index t : steps) {
      reads.push_back(framed(picture(x, b), trace.read_windows, t, b, s.read_size, colors::green, grid.cell));
      writes.push_back(written(learner, trace, t, b, grid.cell));
    }
    reads.push_back(picture(x, b));
    writes.push_back(picture(y, b));
    if (s.attention) grid.rows.push_back(std::move(reads));
    grid.rows.push_back(std::move(writes));
  }
  return draw(grid);
}

Canvas draw_nearest(const Learner& learner, std::uint64_t seed) {
  constexpr Index columns = 10, count = 2 * columns;
  const Tensor samples = learner.generate(count, seed), flat = flatten(samples, 1);
  struct Best {
    double distance = std::numeric_limits<double>::infinity();
    Index number = 0;
  };
  std::vector<Best> best(count);
  const Index all = learner.pictures().train.size();
  for (Index from = 0; from < all; from += 1000) {
    const Index size = std::min<Index>(1000, all - from);
    const Tensor x = flatten(to_unit(learner.train_pictures(every_index(size, from)).images), 1);
    const Tensor products = matmul(flat, transpose(x, 0, 1)), lengths = sum(square(x), 1);
    for (Index k = 0; k < count; ++k)
      for (Index n = 0; n < size; ++n) {  // |x - y|^2 but for |y|^2
        const double distance = lengths.at({n}) - 2 * products.at({k, n});
        if (distance < best[static_cast<std::size_t>(k)].distance)
          best[static_cast<std::size_t>(k)] = {distance, from + n};
      }
  }
  PanelGrid grid{.title = cat("New pictures, each above the nearest of ", all, " training pictures"),
                 .cell = cell_for(learner.settings(), 84)};
  grid.rows.resize(2 * count / columns);
  for (Index k = 0; k < count; ++k) {
    const auto row = static_cast<std::size_t>(2 * (k / columns));
    Panel sample = picture(samples, k);
    Panel nearest = picture(
        to_unit(learner.train_pictures(every_index(1, best[static_cast<std::size_t>(k)].number)).images), 0);
    if (k % columns == 0) sample.y_label = "new", nearest.y_label = "nearest";
    grid.rows[row].push_back(std::move(sample));
    grid.rows[row + 1].push_back(std::move(nearest));
  }
  return draw(grid);
}

namespace {

// What the classifier sees and says of test pictures.
struct Looks {
  Looks(const Learner& learner, Index count)
      : pictures(some_test_pictures(learner, count)),
        x(to_unit(pictures.images)),
        answers(argmax(learner.classify(pictures.images, &trace), 1)) {}

  std::string verdict(Index b) const {
    return cat("is ", static_cast<Index>(pictures.labels.at({b})), ", taken for ",
               static_cast<Index>(answers.at({b})));
  }

  LabelledImages pictures;
  Tensor x;
  Trace trace;
  Tensor answers;
};

}  // namespace

Canvas draw_glimpses(const Learner& learner, Index count) {
  const Settings& s = learner.settings();
  const Looks looks(learner, count);
  const std::vector<Index> steps = moments(s.glimpses);
  PanelGrid grid{.title = "Where it looks, and what it sees there",
                 .column_titles = titles(steps, "", ""),
                 .cell = cell_for(s, 100)};
  for (Index b = 0; b < looks.pictures.size(); ++b) {
    std::vector<Panel> pictures, seen;
    for (Index t : steps) {
      pictures.push_back(
          framed(picture(looks.x, b), looks.trace.read_windows, t, b, s.read_size, colors::green, grid.cell));
      const Tensor window =
          cast(slice(looks.trace.read_windows[static_cast<std::size_t>(t)], 0, b, b + 1), DType::f32);
      seen.push_back(stretched(draw_read(slice(looks.x, 0, b, b + 1), window, s.read_size), s.width));
    }
    pictures[0].y_label = looks.verdict(b);
    grid.rows.push_back(std::move(pictures));
    grid.rows.push_back(std::move(seen));
  }
  return draw(grid);
}

std::string animate_glimpses(const Learner& learner) {
  constexpr Index side = 4;
  const Settings& s = learner.settings();
  const Looks looks(learner, side * side);
  const double cell = cell_for(s, 130);
  std::vector<Frame> frames;
  for (Index t = 0; t < s.glimpses; ++t) {
    std::vector<Panel> panels;
    for (Index b = 0; b < looks.pictures.size(); ++b) {
      panels.push_back(
          framed(picture(looks.x, b), looks.trace.read_windows, t, b, s.read_size, colors::green, cell));
      panels.back().x_label = t + 1 < s.glimpses ? " " : looks.verdict(b);
    }
    frames.push_back({draw(in_square(std::move(panels), side, of_steps(t, s.glimpses), cell)).rgb(), 500});
  }
  frames.back().delay_ms = 2500;
  return gif(frames);
}

}  // namespace fovea::tools
