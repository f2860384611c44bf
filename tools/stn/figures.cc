#include "tools/stn/figures.h"

#include <algorithm>

#include "fovea/ops/reduce.h"
#include "fovea/ops/upsample.h"
#include "tools/figures/animation.h"
#include "tools/figures/panel_grid.h"
#include "tools/figures/picture.h"
#include "tools/figures/plot.h"
#include "tools/run_folder.h"

namespace fovea::tools {
namespace {

using stn::Learner;
using stn::Stn;

constexpr Color box_colors[] = {colors::red, colors::green};

// The channels of x [B,C,H,W] added up, [B,1,H,W].
Tensor grey(const Tensor& x) { return sum(x, 1, true); }

// A point of a sampling grid, -1 to 1 from the middle of the first pixel to that of the last, in cells.
Point in_cells(double x, double y, const Panel& panel) {
  return {(x + 1) / 2 * (panel.cols - 1) + 0.5, (y + 1) / 2 * (panel.rows - 1) + 0.5};
}

// The same, or the nearest point of the panel and a margin: what reaches far out of it would make a figure of
// any size.
Point held(Point p, const Panel& panel, double margin = 0) {
  return {std::clamp(p.x, -margin, panel.cols + margin), std::clamp(p.y, -margin, panel.rows + margin)};
}

// The edge of grid b of points [B,H,W,2], clockwise, [K,2].
std::vector<std::pair<Index, Index>> edge(Index height, Index width) {
  std::vector<std::pair<Index, Index>> places;
  for (Index j = 0; j < width; ++j) places.emplace_back(0, j);
  for (Index i = 1; i < height; ++i) places.emplace_back(i, width - 1);
  for (Index j = width - 1; j-- > 0;) places.emplace_back(height - 1, j);
  for (Index i = height - 1; i-- > 1;) places.emplace_back(i, 0);
  return places;
}

Mark outline(const Tensor& points, Index b, Index transformer, const Panel& panel) {
  Mark mark{.shape = Mark::Shape::outline, .color = box_colors[transformer % 2]};
  for (const auto& [i, j] : edge(points.size(1), points.size(2)))
    mark.points.push_back(
        held(in_cells(points.at({b, i, j, 0}), points.at({b, i, j, 1}), panel), panel, panel.cols / 2.0));
  return mark;
}

// Every third point of a grid: it shows how a thin plate spline bends.
Mark dotted(const Tensor& points, Index b, Index transformer, const Panel& panel) {
  Mark mark{.shape = Mark::Shape::dots, .color = box_colors[transformer % 2], .width = 1};
  for (Index i = 0; i < points.size(1); i += 3)
    for (Index j = 0; j < points.size(2); j += 3)
      mark.points.push_back(
          held(in_cells(points.at({b, i, j, 0}), points.at({b, i, j, 1}), panel), panel, panel.cols / 2.0));
  return mark;
}

}  // namespace

Canvas draw_looks(const Learner& learner) {
  const Stn& model = learner.models().front();
  // The first test scene of each class, as far as the first few hundred go.
  constexpr Index searched = 300, most = 10;
  const LabelledImages all = learner.test_scenes(0, searched);
  std::vector<Index> shown;
  for (Index label = 0; label < model.options.classes && shown.size() < most; ++label)
    for (Index n = 0; n < all.size(); ++n)
      if (all.labels.at({n}) == static_cast<double>(label)) {
        shown.push_back(n);
        break;
      }
  const LabelledImages scenes = gather(all, shown);
  const Tensor pictures = to_unit(scenes.images), x = grey(pictures);
  const Stn::Look look = learner.look(scenes.images);
  const Tensor answers = argmax(look.logits, 1);
  std::vector<Tensor> outputs;  // about as large as the picture, in whole cells a pixel
  for (const SpatialTransformer::Look& t : look.transformers) {
    const Index times = std::max<Index>(1, x.size(2) / t.output.size(2));
    outputs.push_back(
        upsample(grey(t.output), {.scale = static_cast<double>(times), .mode = Interpolation::nearest}));
  }
  PanelGrid grid{.title = "What the transformer looks at", .max_width = 1000};
  grid.rows.resize(2 + outputs.size());
  for (Index b = 0; b < scenes.size(); ++b) {
    Panel input = picture(x, b);
    const auto named = [&](Panel panel, const std::string& name) {
      if (b == 0) panel.y_label = name;
      return panel;
    };
    grid.rows[0].push_back(named(input, "picture"));
    grid.column_titles.push_back(cat(scenes.labels.at({b}), " read as ", answers.at({b})));
    const bool features = model.options.placement == Stn::Placement::features;
    for (std::size_t t = 0; t < look.transformers.size(); ++t) {
      // In a chain the second looks at what the first gives, not at the picture.
      if (model.options.placement == Stn::Placement::chain && t > 0) break;
      const Tensor& points = look.transformers[t].grid.points;
      input.marks.push_back(outline(points, b, static_cast<Index>(t), input));
      if (model.options.kind == SpatialTransformer::Kind::thin_plate_spline || features)
        input.marks.push_back(dotted(points, b, static_cast<Index>(t), input));
    }
    grid.rows[1].push_back(named(std::move(input), "window"));
    for (std::size_t t = 0; t < outputs.size(); ++t) {
      Panel output = picture(outputs[t], b);
      output.high = std::max(1.0f, *std::max_element(output.values.begin(), output.values.end()));
      grid.rows[2 + t].push_back(named(std::move(output), outputs.size() > 1 ? cat("seen ", t + 1) : "seen"));
    }
  }
  return draw(grid);
}

Tensor outlines(const Learner& learner, Index count) {
  const Stn& model = learner.models().front();
  const Stn::Look look = learner.look(learner.test_scenes(0, count).images);
  // In a chain only the first looks at the picture itself.
  const std::size_t shown = model.options.placement == Stn::Placement::chain ? 1 : look.transformers.size();
  const Tensor& first = look.transformers.front().grid.points;
  const auto places = edge(first.size(1), first.size(2));
  std::vector<float> values;
  for (Index b = 0; b < count; ++b)
    for (std::size_t t = 0; t < shown; ++t)
      for (const auto& [i, j] : places)
        for (Index k : {0, 1})
          values.push_back(static_cast<float>(look.transformers[t].grid.points.at({b, i, j, k})));
  return Tensor::from(std::span<const float>(values),
                      {count, static_cast<Index>(shown), static_cast<Index>(places.size()), 2});
}

std::string animate_outlines(const Learner& learner, const std::vector<NamedTensor>& frames) {
  const Index count = frames.front().tensor.size(0);
  const Tensor x = grey(to_unit(learner.test_scenes(0, count).images));
  std::vector<Frame> pictures;
  for (const NamedTensor& frame : frames) {
    PanelGrid grid{.title = cat(frame.name, " updates"), .max_width = 600};
    grid.rows.resize(2);
    for (Index b = 0; b < count; ++b) {
      Panel panel = picture(x, b);
      for (Index t = 0; t < frame.tensor.size(1); ++t) {
        Mark mark{.shape = Mark::Shape::outline, .color = box_colors[t % 2]};
        for (Index k = 0; k < frame.tensor.size(2); ++k)
          mark.points.push_back(
              held(in_cells(frame.tensor.at({b, t, k, 0}), frame.tensor.at({b, t, k, 1}), panel), panel));
        panel.marks.push_back(std::move(mark));
      }
      grid.rows[static_cast<std::size_t>(b * 2 / count)].push_back(std::move(panel));
    }
    pictures.push_back({draw(grid).rgb(), 200});
  }
  pictures.back().delay_ms = 2000;
  return gif(pictures);
}

Canvas draw_errors(const std::filesystem::path& folder, const std::vector<std::string>& columns,
                   Index batches_per_epoch) {
  LinePlot plot{.title = "Test error while it learns",
                .x_label = "epochs",
                .y_label = "test error (%)",
                .x_unit = static_cast<double>(batches_per_epoch)};
  plot.markers = true;
  plot.y_min = 0;
  constexpr const char* names[] = {"transformed", "plainly resampled", "full size"};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const LoggedColumn logged = read_column(folder, columns[i]);
    plot.series.push_back({names[i], logged.step, logged.value});
  }
  return draw(plot);
}

Canvas draw_confusion(const std::vector<std::vector<Index>>& confusion) {
  Panel panel{.title = "Errors: share of a class that was taken for another (%)",
              .x_label = "taken for",
              .y_label = "is",
              .rows = static_cast<int>(confusion.size()),
              .cols = static_cast<int>(confusion.size()),
              .grid = true};
  double most = 0.1;
  for (std::size_t i = 0; i < confusion.size(); ++i) {
    double total = 0;
    for (Index n : confusion[i]) total += static_cast<double>(n);
    for (std::size_t j = 0; j < confusion.size(); ++j) {
      const double share = i == j || total == 0 ? 0 : 100 * static_cast<double>(confusion[i][j]) / total;
      panel.values.push_back(static_cast<float>(share));
      most = std::max(most, share);
    }
    panel.row_names.push_back(cat(i));
    panel.column_names.push_back(cat(i));
  }
  panel.high = most;
  return draw(panel, 700, 620);
}

}  // namespace fovea::tools
