#ifndef FOVEA_TOOLS_TRANSLATION_TRANSLATOR_H_
#define FOVEA_TOOLS_TRANSLATION_TRANSLATOR_H_

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fovea/models/data/split.h"
#include "fovea/models/translation/learner.h"
#include "tools/translation/translation_text.h"

namespace fovea::tools {

using Sentences = std::vector<std::vector<std::string>>;  // as words

/// The sentences of a task.
ParallelText load_sentences(const TranslationTask& task, Split split, const std::filesystem::path& data_dir);
/// How a task's sentences become tokens.
TranslationTextOptions text_options(const TranslationTask& task);

/// A sentence and what was written of it.
struct Translation {
  std::string source;
  Written written;
};

/// A network with its words.
struct Translator {
  TranslationText text;
  std::unique_ptr<TranslationLearner> learner;

  /// A sentence's ids. Throws for one without words, and for one of more tokens than the settings allow.
  TokenIds source_ids(const std::string& sentence) const;
  /// How many sentences have more tokens than that.
  std::size_t too_long(const std::vector<std::string>& sentences) const;
  /// All sentences, as words: read whole, however long they are. One without words becomes one without.
  Sentences translate(const std::vector<std::string>& sentences, Index beam, double length_penalty) const;
};

/// The one in a checkpoint, of any family, on a device.
Translator load_translator(const Checkpoint& checkpoint, const Device& device);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_TRANSLATION_TRANSLATOR_H_
