#ifndef FOVEA_MODELS_TEXT_VOCABULARY_H_
#define FOVEA_MODELS_TEXT_VOCABULARY_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/models/text/string_map.h"

namespace fovea {

/// How often each token occurs; sorted, so that what is made of it depends on nothing else.
using TokenCounts = std::map<std::string, std::int64_t, std::less<>>;

/// Adds a sentence's tokens to the counts.
void count_tokens(TokenCounts& counts, std::span<const std::string> tokens);

struct VocabularyOptions {
  std::int64_t min_count = 1;  ///< rarer tokens are left out
  std::size_t max_size = 0;    ///< most tokens, the special ones included; 0: no limit
  /// The first ids, whether they occur or not. The defaults are padding 0, unknown 1, begin 2, end 3.
  std::vector<std::string> specials = {"<pad>", "<unk>", "<s>", "</s>"};
  std::string unknown = "<unk>";  ///< stands for tokens that are not there; "": they are errors
};

/// Tokens and their ids, 0 to size() - 1.
///
///     TokenCounts counts;
///     for (const auto& line : lines) count_tokens(counts, split_words(line));
///     const Vocabulary words(counts, {.min_count = 2});
///     const std::vector<std::int32_t> ids = words.ids(split_words("ein mann schläft ."));
///
/// Tokens from counts stand in the order of falling counts, equal ones in the order of their bytes.
class Vocabulary {
 public:
  /// Exactly these tokens, in this order; they must differ, and `unknown`, if not "", must be among them.
  explicit Vocabulary(std::vector<std::string> tokens, std::string_view unknown = "<unk>");
  explicit Vocabulary(const TokenCounts& counts, const VocabularyOptions& options = {});

  std::size_t size() const { return tokens_.size(); }
  bool contains(std::string_view token) const { return ids_.contains(token); }
  /// The token's id, or the unknown token's. Throws where there is neither.
  std::int32_t id(std::string_view token) const;
  /// Throws unless 0 <= id < size().
  const std::string& token(std::int32_t id) const;
  const std::vector<std::string>& tokens() const { return tokens_; }
  /// The id of the token that stands for unknown ones; -1: there is none.
  std::int32_t unknown() const { return unknown_; }

  std::vector<std::int32_t> ids(std::span<const std::string> tokens) const;
  std::vector<std::string> tokens(std::span<const std::int32_t> ids) const;

  /// A text file of a token a line, the line's number being the id; a backslash, a line feed and a carriage
  /// return in a token are written \\, \n and \r.
  void save(const std::filesystem::path& path) const;
  /// Throws Error, naming file and line: empty or repeated tokens, other escapes, no UTF-8, no unknown token.
  static Vocabulary load(const std::filesystem::path& path, std::string_view unknown = "<unk>");

 private:
  std::vector<std::string> tokens_;
  StringMap<std::int32_t> ids_;
  std::int32_t unknown_ = -1;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_VOCABULARY_H_
