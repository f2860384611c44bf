#ifndef FOVEA_TOOLS_TRANSLATION_TRANSLATION_TEXT_H_
#define FOVEA_TOOLS_TRANSLATION_TRANSLATION_TEXT_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fovea/core/named_tensor.h"
#include "fovea/models/data/parallel_text.h"
#include "fovea/models/data/token_batches.h"
#include "fovea/models/text/bleu.h"
#include "fovea/models/text/bpe.h"
#include "fovea/models/text/vocabulary.h"
#include "fovea/models/text/word_tokenizer.h"

/// What a translation model's ids mean: needs fovea::text.

namespace fovea::tools {

struct TranslationTextOptions {
  std::string source, target;  ///< languages of the tokenizer; "" splits at spaces
  bool characters = false;     ///< the source's words are split into characters
  std::size_t merges = 0;      ///< of byte-pair encoding, learned on both sides; 0: whole words
  std::int64_t min_count = 2;  ///< rarer tokens are unknown
  bool shared = false;         ///< one vocabulary for both sides
};

/// From sentences to ids and back.
class TranslationText {
 public:
  /// Vocabularies, and the merges, from training sentences.
  static TranslationText learn(const ParallelText& train, const TranslationTextOptions& options);
  /// As a checkpoint keeps it: text as bytes.
  std::vector<NamedTensor> state() const;
  static TranslationText from(const std::vector<NamedTensor>& state, const TranslationTextOptions& options);

  const Vocabulary& source() const { return source_; }
  const Vocabulary& target() const { return target_; }

  /// A source sentence's tokens (pieces of words), and their ids. Throws where it is not UTF-8.
  std::vector<std::string> source_tokens(const std::string& sentence) const;
  /// Those that stand for nothing, each once.
  std::vector<std::string> unknown(const std::string& sentence) const;
  TokenIds source_ids(const std::string& sentence) const { return source_.ids(source_tokens(sentence)); }
  std::vector<std::string> target_tokens(const TokenIds& ids) const { return target_.tokens(ids); }
  /// Whole words again.
  std::vector<std::string> target_words(const TokenIds& ids) const;
  /// A reference's words, as BLEU counts them: never mapped through a vocabulary.
  std::vector<std::string> reference(const std::string& sentence) const {
    return words(target_words_, sentence);
  }

  /// Pairs as ids; those longer than `most` tokens on a side are left out.
  TokenPairs pairs(const ParallelText& text, Index most) const;

 private:
  using Words = std::optional<WordTokenizer>;
  TranslationText(const TranslationTextOptions& options, Vocabulary source, Vocabulary target,
                  std::optional<Bpe> bpe);
  static std::vector<std::string> words(const Words& tokenizer, const std::string& sentence,
                                        bool characters = false);
  std::vector<std::string> pieces(std::vector<std::string> words) const;

  Words source_words_, target_words_;
  bool characters_;
  Vocabulary source_, target_;
  std::optional<Bpe> bpe_;
};

/// BLEU of translations, each against one reference; both as words.
Bleu bleu_of(const std::vector<std::vector<std::string>>& translations,
             const std::vector<std::vector<std::string>>& references);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_TRANSLATION_TRANSLATION_TEXT_H_
