#ifndef FOVEA_TOOLS_TRANSLATION_FIGURES_H_
#define FOVEA_TOOLS_TRANSLATION_FIGURES_H_

#include <filesystem>
#include <string>
#include <vector>

#include "tools/figures/canvas.h"
#include "tools/translation/translator.h"

/// The figures of the attention papers.

namespace fovea::tools {

/// Where the network looks while it writes translations (Bahdanau et al., figure 3): a row for every word it
/// writes, a column for every word it reads, from black, 0, to white, the greatest of all; a panel for every
/// head. Dots: the middle of local attention's window. Throws for a network without attention.
Canvas draw_attention(const Translator& translator, const std::vector<Translation>& translations);

/// Beside where it looks (the mean of the heads; nothing without attention), how much the words it reads bear
/// on those it writes: see TranslationLearner::gradients(). Each row of both is scaled to its greatest.
Canvas draw_gradients(const Translator& translator, const std::vector<Translation>& translations);

/// Learning curves from metrics.csv in a run's folder; `training` is what the loss learned from is called.
Canvas draw_losses(const std::filesystem::path& folder, const char* training);

/// BLEU by length of the source, in words (Bahdanau et al., figure 2).
struct Scored {
  std::string name;
  Sentences translations;
};
Canvas draw_bleu_by_length(const std::vector<Scored>& networks, const Sentences& references,
                           const std::vector<std::size_t>& source_lengths);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_TRANSLATION_FIGURES_H_
