#include "tools/bert/guesses.h"

#ifdef FOVEA_TEXT

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "fovea/core/tape.h"
#include "fovea/core/utf8.h"
#include "fovea/ops/create.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/sort.h"
#include "fovea/ops/views.h"

namespace fovea::tools {
namespace {

std::string percent(double p) {
  char text[32];
  std::snprintf(text, sizeof text, p < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * p);
  return text;
}

}  // namespace

std::vector<std::vector<Guess>> guess_masked(const bert::Bert& model, const WordPiece& tokenizer,
                                             const std::string& text, Index count) {
  constexpr auto op = "fill-mask";
  require(model.options.head, op,
          "the model is an encoder only; what guesses masked tokens was not saved with it");
  require_utf8(text, op, "the text");
  const std::vector<std::int32_t> ids = tokenizer.encode(text).ids;
  const auto L = static_cast<Index>(ids.size());
  require(L <= model.options.positions, op, "the text has ", L, " tokens, and the model takes ",
          model.options.positions);
  const std::int32_t mask = tokenizer.id("[MASK]");
  std::vector<std::int32_t> places;  // of the vectors that guess: a left-only model's lies before the [MASK]
  const std::size_t back = model.options.causal ? 1 : 0;
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (ids[i] == mask) places.push_back(static_cast<std::int32_t>(i - std::min(i, back)));
  require(!places.empty(), op, "the text has no [MASK]");

  const Pause pause;
  const Device device = model.encoder.embeddings.word.weight.device();
  const Tensor hidden = model.encoder.forward({to(Tensor::from(ids, {1, L}), device)});
  const Tensor at = to(Tensor::from(places, {static_cast<Index>(places.size())}), device);
  const Tensor guessed = to(model.guess(index_select(select(hidden, 0, 0), 0, at)), Cpu{});
  const auto logits = guessed.values<float>();
  require(std::all_of(logits.begin(), logits.end(), [](float v) { return std::isfinite(v); }), op,
          "the weights give numbers that are not finite");
  const Sorted best = top_k(softmax(guessed, -1), std::min(count, model.options.vocabulary), -1);
  std::vector<std::vector<Guess>> out(places.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (Index j = 0; j < best.values.size(1); ++j) {
      const Index row = static_cast<Index>(i);
      const auto id = static_cast<std::int32_t>(best.indices.at({row, j}));
      const bool named = id < static_cast<std::int32_t>(tokenizer.size());
      out[i].push_back({named ? tokenizer.token(id) : cat("#", id), best.values.at({row, j})});
    }
  }
  return out;
}

Canvas draw_guesses(const std::string& text, const std::vector<std::vector<Guess>>& guesses) {
  constexpr double row = 26, bar = 18, head = 34, margin = 24, length = 420, gap = 10;
  const TextStyle title{.size = 15, .bold = true}, label{.align = Align::right},
      caption{.color = colors::muted};
  Canvas measure(1, 1);
  double words = 60, height = margin + 30;
  for (const auto& block : guesses) {
    height += (guesses.size() > 1 ? head : gap) + row * static_cast<double>(block.size());
    for (const Guess& g : block) words = std::max(words, measure.text_width(g.token, label));
  }
  const double left = margin + words + gap;
  const double width = std::max(left + length + 70, measure.text_width(text, title) + 2 * margin);
  Canvas canvas(width, height + margin);
  canvas.text({margin, margin + 14}, text, title);
  double y = margin + 30;
  for (std::size_t i = 0; i < guesses.size(); ++i) {
    if (guesses.size() > 1) canvas.text({margin, y + 20}, "[MASK] " + std::to_string(i + 1), caption);
    y += guesses.size() > 1 ? head : gap;
    for (const Guess& g : guesses[i]) {
      canvas.text({left - gap, y + 14}, g.token, label);
      canvas.fill_rect({left, y, length, bar}, colors::grid);
      canvas.fill_rect({left, y, length * g.probability, bar}, line_color(0));
      canvas.text({left + length + gap, y + 14}, percent(g.probability), caption);
      y += row;
    }
  }
  return canvas;
}

}  // namespace fovea::tools

#endif  // FOVEA_TEXT
