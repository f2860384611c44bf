#ifndef FOVEA_TOOLS_BERT_GUESSES_H_
#define FOVEA_TOOLS_BERT_GUESSES_H_

#include <string>
#include <vector>

#include "fovea/models/bert/bert.h"
#include "fovea/models/text/word_piece.h"
#include "tools/figures/canvas.h"

namespace fovea::tools {

/// A token that may stand for a [MASK], with its probability.
struct Guess {
  std::string token;
  double probability = 0;
};

/// The `count` likeliest tokens for every [MASK] of a text, in order. Throws where the model has no head, the
/// text is too long or no UTF-8, or has no [MASK].
std::vector<std::vector<Guess>> guess_masked(const bert::Bert& model, const WordPiece& tokenizer,
                                             const std::string& text, Index count);

/// Bars of the guesses for every [MASK] of a text, one block below the other.
Canvas draw_guesses(const std::string& text, const std::vector<std::vector<Guess>>& guesses);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_BERT_GUESSES_H_
