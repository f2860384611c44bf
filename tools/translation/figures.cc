#ifdef FOVEA_TEXT

#include "tools/translation/figures.h"

#include <algorithm>

#include "fovea/ops/join.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "tools/figures/panel_grid.h"
#include "tools/figures/plot.h"
#include "tools/run_folder.h"

namespace fovea::tools {
namespace {

// A map with the words on both sides.
Panel word_panel(const Translator& t, const std::string& sentence, const Written& written,
                 const Tensor& map) {
  Panel panel{.x_label = "read", .y_label = "written"};
  panel.rows = static_cast<int>(map.size(0));
  panel.cols = static_cast<int>(map.size(1));
  const auto values = map.values<float>();
  panel.values.assign(values.begin(), values.end());
  panel.column_names = t.text.source_tokens(sentence);
  panel.row_names = t.text.target_tokens(written.ids);
  panel.column_names.push_back("</s>");
  if (written.ended) panel.row_names.push_back("</s>");
  return panel;
}

Canvas draw_in_pairs(std::vector<Panel> panels) {
  PanelGrid grid;
  grid.cell = 22;
  grid.max_width = 1200;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    if (i % 2 == 0) grid.rows.emplace_back();
    grid.rows.back().push_back(std::move(panels[i]));
  }
  return draw(grid);
}

}  // namespace

void check_figure(const std::filesystem::path& file) {
  require(figures_available(), "figures", "this build of Fovea cannot draw ", file.string());
  require(file.extension() == ".png" || file.extension() == ".svg", "figures", file.string(),
          " is neither .png nor .svg");
  std::error_code error;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  require(!error, "figures", "cannot make the folder ", file.parent_path().string(), ": ", error.message());
}

Canvas draw_attention(const Translator& t, const std::vector<Translation>& translations) {
  std::vector<Panel> panels;
  for (const auto& [source, written] : translations) {
    const std::vector<Tensor> maps = t.learner->look(t.source_ids(source), written);
    require(!maps.empty(), "translate", "a network without attention looks nowhere");
    for (std::size_t head = 0; head < maps.size(); ++head) {
      panels.push_back(word_panel(t, source, written, maps[head]));
      if (maps.size() > 1) panels.back().title = cat("head ", head + 1);
    }
  }
  return draw_in_pairs(std::move(panels));
}

Canvas draw_gradients(const Translator& t, const std::vector<Translation>& translations) {
  std::vector<Panel> panels;
  for (const auto& [source, written] : translations) {
    const TokenIds ids = t.source_ids(source);
    const std::vector<Tensor> maps = t.learner->look(ids, written);
    if (!maps.empty()) {
      panels.push_back(word_panel(t, source, written, mean(stack(maps, 0), 0)));
      panels.back().title = maps.size() > 1 ? "attention, mean of the heads" : "attention";
    }
    const Tensor gradients = t.learner->gradients(ids, written);
    panels.push_back(word_panel(t, source, written, gradients / max(gradients, 1, true)));
    panels.back().title = "gradient";
  }
  return draw_in_pairs(std::move(panels));
}

Canvas draw_losses(const std::filesystem::path& folder) {
  LinePlot plot{
      .title = "Learning to translate", .x_label = "epoch", .y_label = "cross-entropy of a word (nats)"};
  const auto epoch = read_column(folder, "epoch");
  for (const auto& [column, name] : {std::pair{"train_loss", "training"}, {"val_loss", "validation"}}) {
    const LoggedColumn y = read_column(folder, column);
    Series series{.name = name, .x = {}, .y = y.value};
    for (const double step : y.step) {
      const auto at = std::find(epoch.step.begin(), epoch.step.end(), step);
      series.x.push_back(epoch.value.at(static_cast<std::size_t>(at - epoch.step.begin())));
    }
    plot.series.push_back(std::move(series));
  }
  return draw(plot);
}

Canvas draw_bleu_by_length(const std::vector<Scored>& networks, const Sentences& references,
                           const std::vector<std::size_t>& source_lengths) {
  constexpr std::size_t width = 3;  // words
  constexpr int fewest = 20;        // sentences that make a point
  LinePlot plot{.title = "BLEU by length", .x_label = "length of the source (words)", .y_label = "BLEU"};
  plot.markers = true;
  plot.y_min = 0;
  const std::size_t longest = *std::max_element(source_lengths.begin(), source_lengths.end());
  for (const Scored& network : networks) {
    Series series{.name = network.name, .x = {}, .y = {}};
    for (std::size_t from = 1; from <= longest; from += width) {
      Bleu bleu;
      int count = 0;
      for (std::size_t i = 0; i < references.size(); ++i) {
        if (source_lengths[i] < from || source_lengths[i] >= from + width) continue;
        bleu.add(network.translations[i], references[i]);
        ++count;
      }
      if (count < fewest) continue;
      series.x.push_back(static_cast<double>(from) + (width - 1) / 2.0);
      series.y.push_back(bleu.score());
    }
    plot.series.push_back(std::move(series));
  }
  return draw(plot);
}

}  // namespace fovea::tools

#endif  // FOVEA_TEXT
