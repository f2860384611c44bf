#ifndef FOVEA_MODELS_TEXT_WORD_PIECE_VOCABULARY_H_
#define FOVEA_MODELS_TEXT_WORD_PIECE_VOCABULARY_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/models/text/tokenizer_file.h"
#include "fovea/models/text/vocabulary.h"

namespace fovea {

/// What every vocabulary of these begins with: [PAD], [UNK], [CLS], [SEP], [MASK].
const std::vector<std::string>& bert_specials();

struct WordPieceLearning {
  std::size_t size = 4000;     ///< most tokens; the characters are kept even if they alone are more
  std::int64_t min_count = 2;  ///< a pair that occurs less often makes no piece
};

/// A vocabulary for WordPiece: the special tokens; every character that begins a word, and every one inside
/// of one with "##", in the order of their bytes; then pieces as byte-pair encoding makes them (bpe.h), so
/// that "##e" and "##n" become "##en", the most frequent pair first. Google's own learner was not published;
/// Hugging Face's goes by the same counts, and breaks ties in another way. `words` are those of bert_words().
std::vector<std::string> learn_word_pieces(const TokenCounts& words, const WordPieceLearning& options = {});

/// A tokenizer of these tokens: lower case, no accents, as BERT's uncased models.
WordPieceFile word_piece_of(std::vector<std::string> tokens);

/// Writes vocab.txt, a token a line, which WordPiece::load() and transformers read.
void save_word_pieces(const std::filesystem::path& path, const std::vector<std::string>& tokens);

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_WORD_PIECE_VOCABULARY_H_
