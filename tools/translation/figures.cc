#ifdef FOVEA_TEXT

#include "tools/translation/figures.h"

#include <algorithm>
#include <limits>
#include <span>

#include "fovea/ops/join.h"
#include "fovea/ops/reduce.h"
#include "tools/figures/panel_grid.h"
#include "tools/figures/plot.h"
#include "tools/run_folder.h"

namespace fovea::tools {
namespace {

// The words that pieces make, and which of them each piece belongs to.
struct Words {
  std::vector<std::string> names;
  std::vector<std::size_t> of;
  explicit Words(std::span<const std::string> pieces) : names(Bpe::join(pieces)) {
    for (std::size_t i = 1; i <= pieces.size(); ++i) of.push_back(Bpe::join(pieces.first(i)).size() - 1);
  }
};

// A map with the words on both sides: what the pieces of a word that is read have is added up, of one that is
// written it is the mean. Dots are in the middle of local attention's window.
Panel word_panel(const Translator& t, const Translation& translation, const Tensor& map) {
  const auto& [sentence, written] = translation;
  std::vector<std::string> source = t.text.source_tokens(sentence),
                           target = t.text.target_tokens(written.ids);
  source.push_back("</s>");
  if (written.ended) target.push_back("</s>");
  const Words read(source), wrote(target);
  Panel panel{.x_label = "read", .y_label = "written"};
  panel.rows = static_cast<int>(wrote.names.size());
  panel.cols = static_cast<int>(read.names.size());
  panel.row_names = wrote.names;
  panel.column_names = read.names;
  panel.values.resize(wrote.names.size() * read.names.size());
  const auto values = map.values<float>();
  for (std::size_t i = 0; i < wrote.of.size(); ++i) {
    const auto pieces = static_cast<float>(std::ranges::count(wrote.of, wrote.of[i]));
    for (std::size_t j = 0; j < read.of.size(); ++j)
      panel.values[wrote.of[i] * read.names.size() + read.of[j]] += values[i * read.of.size() + j] / pieces;
  }
  const std::vector<float> middles = t.learner->middles(t.source_ids(sentence), written);
  if (!middles.empty()) panel.marks.push_back({.width = 3});
  for (std::size_t i = 0; i < middles.size(); ++i) {
    const auto piece = static_cast<std::size_t>(middles[i]);
    const double within = static_cast<double>(middles[i]) - static_cast<double>(piece);
    panel.marks[0].points.push_back(
        {static_cast<double>(read.of[piece]) + within + 0.5, static_cast<double>(wrote.of[i]) + 0.5});
  }
  return panel;
}

// Two side by side, all of one scale: the first's.
Canvas draw_in_pairs(const std::string& title, std::vector<Panel> panels) {
  PanelGrid grid{.title = title, .cell = 22, .max_width = 1200, .color_bar = true};
  for (std::size_t i = 0; i < panels.size(); ++i) {
    if (i % 2 == 0) grid.rows.emplace_back();
    grid.rows.back().push_back(std::move(panels[i]));
  }
  return draw(grid);
}

}  // namespace

Canvas draw_attention(const Translator& t, const std::vector<Translation>& translations) {
  std::vector<Panel> panels;
  for (const Translation& translation : translations) {
    const std::vector<Tensor> maps = t.learner->look(t.source_ids(translation.source), translation.written);
    require(!maps.empty(), "translate", "a network without attention looks nowhere");
    for (std::size_t head = 0; head < maps.size(); ++head) {
      panels.push_back(word_panel(t, translation, maps[head]));
      if (maps.size() > 1) panels.back().title = cat("head ", head + 1);
    }
  }
  // What looks everywhere a little would be black where 1 is white.
  double greatest = 0;
  for (const Panel& p : panels) greatest = std::max<double>(greatest, std::ranges::max(p.values));
  for (Panel& p : panels) p.high = greatest;
  return draw_in_pairs("Where it looks", std::move(panels));
}

Canvas draw_gradients(const Translator& t, const std::vector<Translation>& translations) {
  std::vector<Panel> panels;
  const auto add = [&](const Translation& translation, const Tensor& map, const char* title) {
    Panel& panel = panels.emplace_back(word_panel(t, translation, map));
    panel.title = title;
    const auto columns = static_cast<std::size_t>(panel.cols);
    for (std::size_t from = 0; from < panel.values.size(); from += columns) {
      const std::span row(panel.values.data() + from, columns);
      const float greatest = std::ranges::max(row);
      for (float& value : row) value = greatest > 0 ? value / greatest : 0;
    }
  };
  for (const Translation& translation : translations) {
    const TokenIds ids = t.source_ids(translation.source);
    const std::vector<Tensor> maps = t.learner->look(ids, translation.written);
    if (!maps.empty())
      add(translation, mean(stack(maps, 0), 0),
          maps.size() > 1 ? "attention, mean of the heads" : "attention");
    add(translation, t.learner->gradients(ids, translation.written), "gradient");
  }
  return draw_in_pairs("What bears on the words, each row to its greatest", std::move(panels));
}

Canvas draw_losses(const std::filesystem::path& folder, const char* training) {
  LinePlot plot{
      .title = "Learning to translate", .x_label = "epoch", .y_label = "cross-entropy of a word (nats)"};
  const auto epoch = read_column(folder, "epoch");
  for (const auto& [column, name] : {std::pair{"train_loss", training}, {"val_loss", "validation"}}) {
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
  LinePlot plot{.title = "BLEU by length, greedy", .y_label = "BLEU"};
  plot.markers = true;
  plot.y_min = 0;
  const std::size_t longest = *std::max_element(source_lengths.begin(), source_lengths.end());
  int least = std::numeric_limits<int>::max(), most = 0;
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
      least = std::min(least, count);
      most = std::max(most, count);
      series.x.push_back(static_cast<double>(from) + (width - 1) / 2.0);
      series.y.push_back(bleu.score());
    }
    plot.series.push_back(std::move(series));
  }
  plot.x_label = "length of the source (words)";
  if (most > 0) plot.x_label += cat("; points of ", width, " lengths, ", least, " to ", most, " sentences");
  return draw(plot);
}

}  // namespace fovea::tools

#endif  // FOVEA_TEXT
