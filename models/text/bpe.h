#ifndef FOVEA_MODELS_TEXT_BPE_H_
#define FOVEA_MODELS_TEXT_BPE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fovea/models/text/string_map.h"
#include "fovea/models/text/vocabulary.h"

namespace fovea {

struct BpeOptions {
  std::size_t merges = 10000;  ///< at most
  std::int64_t min_count = 2;  ///< a pair that occurs less often is not merged
};

/// Byte-pair encoding of words (Sennrich, Haddow, Birch 2016), equal to subword-nmt 0.3.8 in the codes it
/// learns, their file, and the pieces it makes.
///
///     const Bpe bpe = Bpe::learn(counts, {.merges = 10000});
///     bpe.split(std::vector<std::string>{"schlafender"});   // schla@@ f@@ ender
///     Bpe::join(pieces);                                    // the words again
///
/// A symbol is a code point, a word's last one with "</w>"; the most frequent pair is merged first, of
/// equally frequent ones the greater by bytes. split() remembers what it made of words, so an object serves
/// one thread at a time.
class Bpe {
 public:
  using Pair = std::pair<std::string, std::string>;

  /// From the words of all sides that share it, with their counts.
  static Bpe learn(const TokenCounts& words, const BpeOptions& options = {});
  /// These merges, first to last.
  explicit Bpe(std::vector<Pair> merges);

  /// The pieces of words; all but a word's last end in "@@".
  std::vector<std::string> split(std::span<const std::string> words) const;
  /// What split() came from.
  static std::vector<std::string> join(std::span<const std::string> pieces);

  const std::vector<Pair>& merges() const { return merges_; }

  /// subword-nmt's file of codes: "#version: 0.2", then a pair a line.
  void save(const std::filesystem::path& path) const;
  /// Throws Error, naming file and line, where it is none.
  static Bpe load(const std::filesystem::path& path);

 private:
  std::vector<std::string> pieces_of(const std::string& word) const;

  struct Merge {
    std::size_t rank;
    std::int32_t result;
  };
  std::int32_t symbol(std::string_view text);

  std::vector<Pair> merges_;
  std::vector<std::string> symbols_;
  StringMap<std::int32_t> ids_;                        // of symbols
  std::unordered_map<std::uint64_t, Merge> of_pair_;   // of two ids
  mutable StringMap<std::vector<std::string>> known_;  // words and their pieces
};

/// A word as symbols, and how often it occurs.
struct CountedSymbols {
  std::vector<std::string> symbols;
  std::int64_t count = 0;
};
/// What two neighbours become.
using JoinSymbols = std::function<std::string(const std::string& left, const std::string& right)>;

/// The learning alone: merges the most frequent pair of neighbours into join(left, right) wherever it stands,
/// of equally frequent ones the greater by bytes, again and again, until none is left that occurs `min_count`
/// times or on_merge(left, right) says false.
void learn_merges(const std::vector<CountedSymbols>& words, const JoinSymbols& join, std::int64_t min_count,
                  const std::function<bool(const std::string&, const std::string&)>& on_merge);

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_BPE_H_
