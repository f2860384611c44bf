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

// One column a step, of one head: elements first_row to last_row - 1 of its row.
Panel columns(const std::vector<Tensor>& steps, Index head, Index begin, Index end, Index first_row,
              Index last_row) {
  Panel panel;
  panel.rows = static_cast<int>(last_row - first_row);
  panel.cols = static_cast<int>(end - begin);
  for (Index i = first_row; i < last_row; ++i)
    for (Index t = begin; t < end; ++t)
      panel.values.push_back(static_cast<float>(steps[static_cast<std::size_t>(t)].at({head, i})));
  return panel;
}

// Gives panels one range, about zero, that holds the values of all.
void share_range(std::initializer_list<std::vector<Panel>*> rows) {
  float most = 1e-6f;
  for (const auto* row : rows)
    for (const Panel& p : *row)
      for (const float v : p.values) most = std::max(most, std::abs(v));
  for (auto* row : rows)
    for (Panel& p : *row) p.low = -most, p.high = most;
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
  const RowRange rows = visited(trace, asked, answer, T);
  // What one kind of head does in its phase: a panel a head of what it moves, and of where.
  struct Phase {
    std::vector<Panel> vectors, weightings;
  };
  const auto phase = [&](const std::string& verb, const std::string& what, const std::vector<Tensor>& vectors,
                         const std::vector<Tensor>& weightings, Index begin, Index end) {
    Phase out;
    const Index heads = weightings[0].size(0), M = vectors[0].size(1);
    for (Index h = 0; h < heads; ++h) {
      const std::string head = heads > 1 ? cat(verb, " head ", h + 1, ": ") : "";
      Panel v = titled(columns(vectors, h, begin, end, 0, M), head + what, "", h == 0 ? "element" : "");
      Panel w =
          titled(columns(weightings, h, begin, end, rows.first, rows.last),
                 heads > 1 ? head + "where" : verb + " weighting", "time (steps)", h == 0 ? "location" : "");
      if (h == 0) v.first_row = 0, w.first_row = static_cast<int>(rows.first);
      w.first_column = static_cast<int>(begin) + 1;
      out.vectors.push_back(std::move(v));
      out.weightings.push_back(std::move(w));
    }
    return out;
  };
  Phase writes = phase("write", "adds", trace.adds, trace.write_weights, 0, asked),
        reads = phase("read", "reads", trace.reads, trace.read_weights, answer, T);
  Panel inputs = titled(channels(e.input, 0, asked, ColorMap::grey), "inputs", "", "channel"),
        outputs = titled(channels(y, 0, e.scored, ColorMap::grey), "outputs", "", "channel");
  inputs.first_row = outputs.first_row = 0;
  share_range({&writes.vectors, &reads.vectors});
  PanelGrid grid{.title = cat(learner.task().name(), ", ", e.what, ": how the memory is used"),
                 .row_bars = true};
  if (writes.vectors.size() == 1 && reads.vectors.size() == 1) {
    grid.column_titles = {"Write phase", "Read phase"};
    grid.rows = {{inputs, outputs},
                 {writes.vectors[0], reads.vectors[0]},
                 {writes.weightings[0], reads.weightings[0]}};
    return draw(grid);
  }
  // Many heads: side by side, the two phases below each other.
  grid.rows = {{inputs}, writes.vectors, writes.weightings, reads.vectors, reads.weightings, {outputs}};
  grid.max_width = 1100;
  grid.max_height = 1300;
  if (rows.last - rows.first > 2 * asked) grid.aspect = 2;
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
    const LoggedColumn cost = read_column(folder, "train_bits"), seen = read_column(folder, "sequences"),
                       fresh = read_column(folder, "eval_bits");
    const std::size_t line = plot.series.size();
    plot.series.push_back({name, seen.value, cost.value});
    Series dots{.name = name + ", fresh sequences", .y = fresh.value, .dots = true, .color = line};
    for (const double step : fresh.step)  // of each, the sequences that its row says
      dots.x.push_back(seen.value[static_cast<std::size_t>(
          std::find(seen.step.begin(), seen.step.end(), step) - seen.step.begin())]);
    plot.series.push_back(std::move(dots));
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

Canvas draw_generalisation(const std::vector<Generalisation>& models, const ntm::Task& kind) {
  const std::string task = kind.name();
  LinePlot plot{
      .title = cat(task, ": beyond the sizes trained on"),
      .x_label = task == "recall"        ? "items"
                 : task == "repeat-copy" ? "length x repeats (vectors)"
                                         : "length (vectors)",
      .y_label = "wrong bits (%)",
      .band = Band{0, static_cast<double>(size_of_task(kind.largest_trained(), task)), "sizes trained on"},
      .markers = true,
      .x_min = 0,
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
