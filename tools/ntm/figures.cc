#include "tools/ntm/figures.h"

#include <algorithm>
#include <cmath>

#include "fovea/ops/views.h"
#include "tools/figures/animation.h"
#include "tools/figures/panel_grid.h"
#include "tools/figures/plot.h"

namespace fovea::tools {

using ntm::Episode;
using ntm::EpisodeSize;
using ntm::Learner;

namespace {

// Steps begin..end of the first batch element of x [T,B,D] as a panel: time to the right, channels downwards.
Panel channels(const Tensor& x, Index begin, Index end, ColorMap map) {
  Panel panel;
  const Index D = x.size(2);
  panel.rows = static_cast<int>(D);
  panel.cols = static_cast<int>(end - begin);
  panel.map = map;
  for (Index d = 0; d < D; ++d)
    for (Index t = begin; t < end; ++t) panel.values.push_back(static_cast<float>(x.at({t, 0, d})));
  return panel;
}

// One column a step: all heads' rows below each other.
Panel columns(const std::vector<Tensor>& steps, Index begin, Index end, Index first_row, Index last_row) {
  Panel panel;
  const Index heads = steps[0].size(0);
  panel.rows = static_cast<int>(heads * (last_row - first_row));
  panel.cols = static_cast<int>(end - begin);
  for (Index h = 0; h < heads; ++h)
    for (Index i = first_row; i < last_row; ++i)
      for (Index t = begin; t < end; ++t)
        panel.values.push_back(static_cast<float>(steps[static_cast<std::size_t>(t)].at({h, i})));
  return panel;
}

// Spreads the grey map over the values that occur.
Panel stretched(Panel panel) {
  const auto [low, high] = std::minmax_element(panel.values.begin(), panel.values.end());
  panel.low = *low;
  panel.high = std::max(*high, *low + 1e-6f);
  return panel;
}

Panel titled(Panel panel, std::string title, std::string x_label, std::string y_label) {
  panel.title = std::move(title);
  panel.x_label = std::move(x_label);
  panel.y_label = std::move(y_label);
  return panel;
}

// The rows that the heads visit, from the first to the last, with a few on either side: the paper too shows
// only part of the memory. All of it when they settle nowhere.
struct RowRange {
  Index first, last;
  void visit(const std::vector<Tensor>& steps, Index begin, Index end) {
    for (Index t = begin; t < end; ++t) {
      const Tensor& w = steps[static_cast<std::size_t>(t)];
      for (Index h = 0; h < w.size(0); ++h)
        for (Index i = 0; i < w.size(1); ++i)
          if (w.at({h, i}) > 0.3) {
            first = std::min(first, i);
            last = std::max(last, i);
          }
    }
  }
};
RowRange visited(const ntm::Trace& trace, Index asked, Index answer, Index T) {
  const Index N = trace.read_weights[0].size(1);
  RowRange rows{N, -1};
  rows.visit(trace.write_weights, 0, asked);
  rows.visit(trace.read_weights, answer, T);
  if (rows.last < 0) return {0, N};
  return {std::max<Index>(0, rows.first - 2), std::min(N, rows.last + 3)};
}

Index size_of_task(const EpisodeSize& s, const std::string& task) {
  return task == "repeat-copy" ? s.length * s.repeats : s.length;
}

}  // namespace

Canvas draw_answers(const Learner& learner, std::uint64_t seed) {
  PanelGrid grid;
  grid.title = cat(learner.task().name(), ": targets above what the model answers");
  grid.color_bar = true;
  std::vector<Panel> targets, outputs;
  Index in_row = 0;
  const auto flush = [&] {
    if (targets.empty()) return;
    grid.rows.push_back(std::move(targets));
    grid.rows.push_back(std::move(outputs));
    targets.clear();
    outputs.clear();
    in_row = 0;
  };
  for (const EpisodeSize& size : learner.task().test_sizes()) {
    Generator random(seed);
    const Episode e = learner.task().draw(1, random, size);
    const Index T = e.target.size(0);
    if (in_row > 0 && in_row + e.scored > 120) flush();
    in_row += e.scored;
    targets.push_back(titled(channels(e.target, T - e.scored, T, ColorMap::blue_red), e.what, "",
                             targets.empty() ? "target" : ""));
    const Tensor y = learner.answer(e);
    outputs.push_back(titled(channels(y, 0, e.scored, ColorMap::blue_red), "", "time (steps)",
                             outputs.empty() ? "output" : ""));
  }
  flush();
  return draw(grid);
}

Canvas draw_memory_use(const Learner& learner, EpisodeSize size, std::uint64_t seed) {
  Generator random(seed);
  const Episode e = learner.task().draw(1, random, size);
  ntm::Trace trace;
  const Tensor y = learner.answer(e, &trace);
  // Where the task has no phases of its own (N-grams), the same steps stand on both sides.
  const Index T = e.input.size(0), answer = e.written > 0 ? T - e.scored : 0,
              asked = e.written > 0 ? answer : T;
  const auto [first, last] = visited(trace, asked, answer, T);
  const Index M = trace.adds[0].size(1);
  PanelGrid grid;
  grid.title = cat(learner.task().name(), ", ", e.what, ": how the memory is used");
  grid.column_titles = {"Write phase", "Read phase"};
  grid.rows = {{titled(channels(e.input, 0, asked, ColorMap::grey), "inputs", "", "channel"),
                titled(channels(y, 0, e.scored, ColorMap::grey), "outputs", "", "channel")},
               {titled(stretched(columns(trace.adds, 0, asked, 0, M)), "adds", "", "element"),
                titled(stretched(columns(trace.reads, answer, T, 0, M)), "reads", "", "element")},
               {titled(columns(trace.write_weights, 0, asked, first, last),
                       cat("write weightings, rows ", first, " to ", last - 1), "time (steps)", "location"),
                titled(columns(trace.read_weights, answer, T, first, last),
                       cat("read weightings, rows ", first, " to ", last - 1), "time (steps)", "location")}};
  return draw(grid);
}

Canvas draw_learning_curves(const std::vector<std::pair<std::string, std::filesystem::path>>& runs,
                            const std::string& task, double optimum) {
  LinePlot plot{.title = cat(task, ": learning"),
                .x_label = "sequences (thousands)",
                .y_label = "cost per sequence (bits)",
                .x_unit = 1000,
                .width = 900,
                .height = 500};
  for (const auto& [name, folder] : runs) {
    const LoggedColumn cost = read_column(folder, "train_bits"), seen = read_column(folder, "sequences");
    plot.series.push_back({name, seen.value, cost.value});
    plot.smoothing = std::max<std::size_t>(plot.smoothing, cost.value.size() / 60);
  }
  plot.y_min = 0;
  if (optimum > 0) plot.reference = ReferenceLine{optimum, "optimal estimator"}, plot.y_min = {};
  return draw(plot);
}

Generalisation measure_generalisation(const Learner& learner, const std::string& name, std::uint64_t seed) {
  Generalisation out{name, {}, {}};
  for (const EpisodeSize& size : learner.task().test_sizes()) {
    const ntm::Score s = learner.evaluate(20, size, seed);
    out.size.push_back(static_cast<double>(size_of_task(size, learner.task().name())));
    out.wrong_percent.push_back(100 * s.wrong_fraction);
  }
  return out;
}

Canvas draw_generalisation(const std::vector<Generalisation>& models, const std::string& task) {
  LinePlot plot{.title = cat(task, ": beyond the sizes trained on"),
                .x_label = task == "recall"        ? "items"
                           : task == "repeat-copy" ? "length x repeats (vectors)"
                                                   : "length (vectors)",
                .y_label = "wrong bits (%)",
                .markers = true,
                .y_min = 0,
                .width = 900,
                .height = 450};
  for (const Generalisation& g : models) {
    // Repeat copy has two episodes of one size: a mean would hide which; the plot shows both in order.
    plot.series.push_back({g.name, g.size, g.wrong_percent});
  }
  return draw(plot);
}

std::string animate_answers(const Episode& e, const std::vector<NamedTensor>& answers) {
  const Index T = e.target.size(0);
  std::vector<Frame> frames;
  for (const NamedTensor& answer : answers) {
    PanelGrid grid;
    // Frames are as wide as their title where panels are narrow, so every number takes the same room.
    constexpr std::size_t digits = 8;
    std::string seen = answer.name;
    for (std::size_t i = answer.name.size(); i < digits; ++i) seen = "\u2007" + seen;
    grid.title = seen + " sequences seen";
    grid.cell = 12;
    grid.rows = {
        {titled(channels(e.target, T - e.scored, T, ColorMap::blue_red), "", "", "target")},
        {titled(channels(answer.tensor, 0, e.scored, ColorMap::blue_red), "", "time (steps)", "output")}};
    frames.push_back({draw(grid).rgb(), 200});
  }
  // Fonts may still differ by a pixel: all frames get the size of the largest.
  int width = 0, height = 0;
  for (const Frame& f : frames) {
    width = std::max(width, f.image.width);
    height = std::max(height, f.image.height);
  }
  for (Frame& f : frames) {
    RgbImage all(width, height);
    std::fill(all.pixels.begin(), all.pixels.end(), std::uint8_t{255});
    for (int y = 0; y < f.image.height; ++y) std::copy_n(f.image.at(0, y), f.image.width * 3, all.at(0, y));
    f.image = std::move(all);
  }
  frames.back().delay_ms = 2000;
  return gif(frames);
}

}  // namespace fovea::tools
