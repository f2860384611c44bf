#include "tools/bert/figures.h"

#include <algorithm>
#include <cstdio>

namespace fovea::tools {
namespace {

std::string percent(double p) {
  char text[32];
  std::snprintf(text, sizeof text, p < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * p);
  return text;
}

}  // namespace

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
