#ifndef FOVEA_TOOLS_SEQ2SEQ_TRANSLATOR_H_
#define FOVEA_TOOLS_SEQ2SEQ_TRANSLATOR_H_

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fovea/models/data/split.h"
#include "fovea/models/seq2seq/learner.h"
#include "tools/translation_text.h"

namespace fovea::tools {

using Sentences = std::vector<std::vector<std::string>>;  // as words

/// The sentences of a task.
ParallelText load_sentences(const seq2seq::Settings& settings, Split split,
                            const std::filesystem::path& data_dir);
/// How a task's sentences become tokens.
TranslationTextOptions text_options(const seq2seq::Settings& settings);

/// A network with its words.
struct Translator {
  TranslationText text;
  std::unique_ptr<seq2seq::Learner> learner;

  /// Sentences, as words. Throws for one without words, and for one of more tokens than the settings allow.
  Sentences translate(const std::vector<std::string>& sentences, Index beam, double length_penalty) const;
};

/// The one in a checkpoint.
Translator load_translator(const Checkpoint& checkpoint);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_SEQ2SEQ_TRANSLATOR_H_
