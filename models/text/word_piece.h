#ifndef FOVEA_MODELS_TEXT_WORD_PIECE_H_
#define FOVEA_MODELS_TEXT_WORD_PIECE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/models/text/added_tokens.h"
#include "fovea/models/text/string_map.h"
#include "fovea/models/text/tokenizer_file.h"

namespace fovea {

/// What a model of BERT's kind is given for one text or for a pair of them.
struct BertInput {
  std::vector<std::int32_t> ids;       ///< [CLS] a [SEP], or [CLS] a [SEP] b [SEP]
  std::vector<std::int32_t> segments;  ///< 1 for b and its [SEP], else 0
};

/// BERT's tokenizer (Devlin et al. 2018): special tokens are found first, then the basic tokenizer makes
/// words (bert_words.h), and each is cut into the longest pieces that the vocabulary has, from the left; a
/// word for which that fails, or of more than 100 characters, is [UNK]. The ids are those of Hugging Face's
/// tokenizers.
///
///     const WordPiece tokenizer = WordPiece::load("all-MiniLM-L6-v2");
///     const BertInput input = tokenizer.encode("A sentence.", 128);
class WordPiece {
 public:
  /// Throws Error when [UNK], [CLS] or [SEP] is not in the vocabulary, or a token is there twice.
  explicit WordPiece(WordPieceFile file);
  /// From vocab.txt, tokenizer.json, or a folder that has one of them.
  static WordPiece load(const std::filesystem::path& path) { return WordPiece(read_word_piece(path)); }

  /// The ids of a text alone, without [CLS] and [SEP]. Throws Error where it is not UTF-8.
  std::vector<std::int32_t> ids(std::string_view text) const;
  /// As a model wants it, cut to `most` ids (0: not): a text at its end, of a pair the longer one first.
  BertInput encode(std::string_view text, std::size_t most = 0) const;
  BertInput encode(std::string_view a, std::string_view b, std::size_t most = 0) const;

  std::size_t size() const { return file_.vocabulary.size(); }
  const std::vector<std::string>& tokens() const { return file_.vocabulary; }
  /// Throws where there is none.
  std::int32_t id(std::string_view token) const;
  const std::string& token(std::int32_t id) const;

  /// A text that these ids may come from: pieces joined, special tokens left out, no space before
  /// punctuation.
  std::string decode(std::span<const std::int32_t> ids) const;

 private:
  void add_word(std::string_view word, std::vector<std::int32_t>& out) const;

  WordPieceFile file_;
  std::string origin_;  // what messages about the vocabulary begin with
  AddedTokens added_;
  StringMap<std::int32_t> ids_;     // of tokens
  StringMap<std::int32_t> inside_;  // of those that begin inside of a word, without the prefix
  std::size_t longest_ = 0;         // bytes of the longest of either
  std::int32_t unknown_, begin_, end_;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_WORD_PIECE_H_
