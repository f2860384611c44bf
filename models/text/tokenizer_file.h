#ifndef FOVEA_MODELS_TEXT_TOKENIZER_FILE_H_
#define FOVEA_MODELS_TEXT_TOKENIZER_FILE_H_

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fovea/models/text/added_tokens.h"
#include "fovea/models/text/bert_words.h"

/// Reading the files that Hugging Face's tokenizers are kept in, and writing them. They are taken for
/// hostile: whatever is not as it should be is an Error that names the file and the field (or the line, or
/// the byte). What a file asks for and Fovea does not do is an error too; only truncation and padding are
/// left to the caller.

namespace fovea {

/// What a WordPiece tokenizer is made of.
struct WordPieceFile {
  std::string path = "";                ///< where it was read, for messages; "" where it was not
  std::vector<std::string> vocabulary;  ///< by id; "" where an id has no token
  std::vector<AddedToken> added;
  BertWordsOptions words;
  std::string unknown = "[UNK]", begin = "[CLS]", end = "[SEP]";
  std::string prefix = "##";  ///< of pieces that begin inside of a word
  std::size_t longest = 100;  ///< a word of more characters is unknown
};

/// Reads `vocab.txt` (a token a line) or `tokenizer.json`, or either from a folder, where tokenizer.json is
/// preferred. Beside vocab.txt, tokenizer_config.json may say do_lower_case, strip_accents and
/// tokenize_chinese_chars.
WordPieceFile read_word_piece(const std::filesystem::path& path);

/// What a byte-level BPE tokenizer is made of.
struct ByteBpeFile {
  std::vector<std::string>
      vocabulary;  ///< by id, in the letters that stand for bytes; "" where there is none
  std::vector<std::pair<std::string, std::string>> merges;  ///< first to last
  std::vector<AddedToken> added;
  bool add_prefix_space = false;  ///< a text, and what follows an added token, gets a space in front
  bool ignore_merges = false;     ///< a word that is a token stays one, whatever the merges would make of it
};

/// Reads `tokenizer.json`, or `vocab.json` with `merges.txt` beside it, or either from a folder, where
/// tokenizer.json is preferred. To vocab.json belongs the added token <|endoftext|>, if it is there.
ByteBpeFile read_byte_bpe(const std::filesystem::path& path);

/// The characters, by id, of a `tokenizer.json` as Characters::save_tokenizer() writes it, or of a folder's.
/// Nothing where the tokenizer is of another kind.
std::optional<std::vector<std::string>> read_characters(const std::filesystem::path& path);

/// Writes tokenizer.json, of this content, and beside it the tokenizer_config.json with which Hugging Face's
/// transformers reads it as it stands.
void write_tokenizer(const std::filesystem::path& folder, const std::string& content, const char* op);

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_TOKENIZER_FILE_H_
