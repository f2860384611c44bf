#include "fovea/models/text/word_piece_vocabulary.h"

#include <set>
#include <utility>

#include "fovea/core/atomic_file.h"
#include "fovea/core/error.h"
#include "fovea/core/utf8.h"
#include "fovea/models/text/bpe.h"

namespace fovea {
namespace {

constexpr std::string_view inside = "##";

/// A word's characters, all but the first marked.
std::vector<std::string> first_pieces(std::string_view word) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t from = at;
    next_code_point(word, at);
    out.push_back(cat(from > 0 ? inside : "", word.substr(from, at - from)));
  }
  return out;
}

}  // namespace

const std::vector<std::string>& bert_specials() {
  static const std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  return tokens;
}

std::vector<std::string> learn_word_pieces(const TokenCounts& words, const WordPieceLearning& options) {
  std::vector<CountedSymbols> symbols;
  std::set<std::string> known;
  for (const auto& [word, count] : words) {
    require_utf8(word, "word_piece", "a word");
    symbols.push_back({first_pieces(word), count});
    known.insert(symbols.back().symbols.begin(), symbols.back().symbols.end());
  }
  std::vector<std::string> out = bert_specials();
  out.insert(out.end(), known.begin(), known.end());
  known.insert(bert_specials().begin(), bert_specials().end());
  if (out.size() >= options.size) return out;
  const auto join = [](const std::string& left, const std::string& right) {
    return left + right.substr(inside.size());  // what is on the right is never a word's beginning
  };
  learn_merges(symbols, join, options.min_count, [&](const std::string& left, const std::string& right) {
    std::string piece = join(left, right);
    if (known.insert(piece).second) out.push_back(std::move(piece));
    return out.size() < options.size;
  });
  return out;
}

WordPieceFile word_piece_of(std::vector<std::string> tokens) {
  WordPieceFile file;
  file.vocabulary = std::move(tokens);
  for (std::size_t i = 0; i < file.vocabulary.size(); ++i)
    for (const std::string& special : bert_specials())
      if (file.vocabulary[i] == special)
        file.added.push_back({.content = special, .id = static_cast<std::int32_t>(i)});
  return file;
}

void save_word_pieces(const std::filesystem::path& path, const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += token + '\n';
  write_atomically(path, text, "word_piece");
}

}  // namespace fovea
