#include <algorithm>
#include <cmath>

#include "tools/draw/figures.h"
#include "tools/draw/windows.h"
#include "tools/figures/panel_grid.h"
#include "tools/figures/picture.h"
#include "tools/figures/plot.h"
#include "tools/figures/ticks.h"
#include "tools/run_folder.h"

namespace fovea::tools {

using draw::Learner;

namespace {

// A window by what it is to be: the equations of draw_attention.h, the other way round.
Tensor window_of(const DrawGrid& g, Index n, Index height, Index width) {
  const double whole = static_cast<double>(std::max(height, width) - 1) / static_cast<double>(n - 1);
  const auto from_middle = [](double at, Index size) {
    return 2 * (at + 1) / static_cast<double>(size + 1) - 1;
  };
  const double five[] = {from_middle(g.x, width), from_middle(g.y, height), 2 * std::log(g.sigma),
                         std::log(g.stride / whole), 0};
  std::vector<float> window(std::begin(five), std::end(five));
  return Tensor::from(window, {1, 5});
}

std::string rounded(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", x);
  return text;
}

}  // namespace

Canvas draw_filterbank(const Tensor& image) {
  const Index H = image.size(2), W = image.size(3), side = std::min(H, W);
  const double cell = std::max<double>(1, static_cast<double>(210 / side));
  const auto all = static_cast<double>(side - 1);  // what 12 filters cover with a stride of an eleventh
  struct Example {
    std::string title;
    Index n;
    double stride, sigma;
  };
  const Example examples[] = {{"3 x 3 filters", 3, 0.28 * all, 0.06 * all},
                              {"small stride, large sigma", 12, 0.4 * all / 11, 0.6 * all / 11},
                              {"large stride, small sigma", 12, 0.85 * all / 11, 0.3 * all / 11},
                              {"large stride, large sigma", 12, 0.85 * all / 11, all / 11}};
  PanelGrid grid{.title = "DRAW's attention: a grid of Gaussian filters",
                 .column_titles = {"picture", "patch", "written back"},
                 .cell = cell};
  for (const Example& e : examples) {
    DrawGrid wanted{};
    wanted.x = static_cast<double>(W - 1) / 2;
    wanted.y = static_cast<double>(H - 1) / 2;
    wanted.stride = e.stride;
    wanted.sigma = e.sigma;
    const Tensor window = window_of(wanted, e.n, H, W);
    const DrawGrid g = draw_grids(window, e.n, H, W)[0];
    const Tensor patch = draw_read(image, window, e.n);
    Panel left = picture(image, 0);
    left.y_label = e.title;
    left.title = cat("stride ", rounded(g.stride), ", sigma ", rounded(g.sigma));
    if (e.n == 3) {
      Mark filters{.color = colors::green.faded(0.55), .width = g.sigma * cell}, centre{.width = 3};
      for (int i = -1; i <= 1; ++i)
        for (int j = -1; j <= 1; ++j)
          filters.points.push_back(in_cells(g.x + j * g.stride, g.y + i * g.stride));
      centre.points = {in_cells(g.x, g.y)};
      const Mark stride{Mark::Shape::arrow, {in_cells(g.x, g.y), in_cells(g.x + g.stride, g.y)}};
      left.marks = {filters, stride, centre};
    } else {
      left.marks = {window_mark(g, left, colors::green, cell)};
    }
    grid.rows.push_back(
        {std::move(left), stretched(patch, W), stretched(draw_write(patch, window, H, W), W)});
  }
  return draw(grid);
}

Canvas draw_kl(const std::vector<NamedTensor>& kl, Index batches_per_epoch) {
  Panel panel{.title = "KL divergence of each step while it learns (nats)",
              .x_label = "epochs",
              .y_label = "step t",
              .rows = static_cast<int>(kl.front().tensor.numel()),
              .cols = static_cast<int>(kl.size()),
              .map = ColorMap::blue_red};
  for (int t = 0; t < panel.rows; ++t) {
    panel.row_names.push_back(cat(t + 1));
    for (const NamedTensor& k : kl) panel.values.push_back(static_cast<float>(k.tensor.at({t})));
  }
  // Round numbers of epochs, each above the column that is nearest to it.
  std::vector<double> epochs;
  for (const NamedTensor& k : kl)
    epochs.push_back(std::stod(k.name) / static_cast<double>(batches_per_epoch));
  panel.column_names.resize(kl.size());
  const auto distance = [&](double from) { return [=](double to) { return std::abs(to - from); }; };
  for (const Tick& t : linear_ticks(epochs.front(), epochs.back(), std::min(10, panel.cols))) {
    const auto nearest = std::ranges::min_element(epochs, {}, distance(t.at));
    panel.column_names[static_cast<std::size_t>(nearest - epochs.begin())] = t.label;
  }
  panel.high = std::max(1e-3f, *std::max_element(panel.values.begin(), panel.values.end()));
  return draw(panel);
}

namespace {

Series logged(const std::filesystem::path& folder, const std::string& column, const std::string& name) {
  const LoggedColumn c = read_column(folder, column);
  return {name, c.step, c.value};
}

}  // namespace

Canvas draw_bound(const std::filesystem::path& folder, const Learner& learner) {
  LinePlot plot{.title = "The bound while it learns",
                .x_label = "epochs",
                .y_label = "nats a picture",
                .series = {logged(folder, "train_nats", "training"), logged(folder, "test_nats", "test")},
                .x_unit = static_cast<double>(learner.batches_per_epoch())};
  if (learner.settings().data == "binarized-mnist")
    plot.reference = learner.settings().attention
                         ? ReferenceLine{80.97, "the paper: 80.97"}
                         : ReferenceLine{87.40, "the paper, without attention: 87.40"};
  return draw(plot);
}

Canvas draw_error(const std::filesystem::path& folder, const Learner& learner) {
  return draw(LinePlot{.title = "Error while it learns",
                       .x_label = "epochs",
                       .y_label = "test error (%)",
                       .series = {logged(folder, "test_error_percent", "")},
                       .x_unit = static_cast<double>(learner.batches_per_epoch()),
                       .markers = true,
                       .y_min = 0});
}

}  // namespace fovea::tools
