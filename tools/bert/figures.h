#ifndef FOVEA_TOOLS_BERT_FIGURES_H_
#define FOVEA_TOOLS_BERT_FIGURES_H_

#include <string>
#include <vector>

#include "tools/figures/canvas.h"

namespace fovea::tools {

/// A token that may stand for a [MASK], with its probability.
struct Guess {
  std::string token;
  double probability = 0;
};

/// Bars of the guesses for every [MASK] of a text, one block below the other.
Canvas draw_guesses(const std::string& text, const std::vector<std::vector<Guess>>& guesses);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_BERT_FIGURES_H_
