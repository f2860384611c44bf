#include "fovea/models/text/bpe.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <queue>

#include "fovea/core/atomic_file.h"
#include "fovea/core/byte_reader.h"
#include "fovea/core/gzip.h"
#include "fovea/core/utf8.h"
#include "fovea/models/text/symbol_pair.h"
#include "fovea/models/text/word_tokenizer.h"

namespace fovea {
namespace {

constexpr std::string_view end_of_word = "</w>", goes_on = "@@", version = "#version: 0.2";
constexpr std::size_t most_words_known = std::size_t{1} << 20;

using Symbols = std::vector<std::int32_t>;

/// A word's code points as strings, the last with the mark of the end.
std::vector<std::string> first_symbols(std::string_view word) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t from = at;
    next_code_point(word, at);
    out.emplace_back(word.substr(from, at - from));
  }
  if (!out.empty()) out.back() += end_of_word;
  return out;
}

/// Every "left right" becomes `merged`, from the left, so that of "a a a" the first two do. Before each,
/// at(before, after) is told the neighbours, -1 where there is none.
template <class At>
void merge(Symbols& word, std::int32_t left, std::int32_t right, std::int32_t merged, const At& at) {
  std::size_t to = 0;
  for (std::size_t i = 0; i < word.size(); ++to) {
    if (word[i] == left && i + 1 < word.size() && word[i + 1] == right) {
      at(to > 0 ? word[to - 1] : -1, i + 2 < word.size() ? word[i + 2] : -1);
      word[to] = merged;
      i += 2;
    } else {
      word[to] = word[i++];
    }
  }
  word.resize(to);
}

// The pairs of neighbours in all words, with their counts and the words that have them. The most frequent one
// is found in a heap, which holds old counts too: a pair's count is at most the greatest one there, and what
// comes up with an old one goes back with the new one.
class Learner {
 public:
  Learner(const std::vector<CountedSymbols>& words, JoinSymbols join) : join_(std::move(join)) {
    for (const CountedSymbols& word : words) {
      Symbols symbols;
      for (const std::string& s : word.symbols) symbols.push_back(id(s));
      words_.push_back({std::move(symbols), word.count});
    }
    for (std::uint32_t w = 0; w < words_.size(); ++w) {
      const Symbols& symbols = words_[w].symbols;
      for (std::size_t i = 0; i + 1 < symbols.size(); ++i) count(w, symbols[i], symbols[i + 1]);
    }
    push_changed();
  }

  /// The most frequent pair, once it is merged; none when it is rarer than min_count.
  std::optional<Bpe::Pair> merge_next(std::int64_t min_count) {
    for (;;) {
      if (heap_.empty()) return {};
      const auto [count, key] = heap_.top();
      const std::int64_t now = pairs_[key].count;
      if (count == now) {
        if (count < std::max<std::int64_t>(min_count, 1)) return {};
        merge_pair(key);
        return Bpe::Pair(left(key), right(key));
      }
      heap_.pop();
      if (now < count && now > 0) heap_.push({now, key});
    }
  }

 private:
  struct Word {
    Symbols symbols;
    std::int64_t count;
  };
  struct Occurrences {
    std::int64_t count = 0;
    std::vector<std::uint32_t> words = {};  // some perhaps twice, or no longer
  };
  struct Entry {
    std::int64_t count;
    std::uint64_t key;
  };

  const std::string& left(std::uint64_t key) const { return symbols_[key >> 32]; }
  const std::string& right(std::uint64_t key) const { return symbols_[key & 0xffffffff]; }

  std::int32_t id(const std::string& symbol) {
    const auto [at, is_new] = ids_.try_emplace(symbol, static_cast<std::int32_t>(symbols_.size()));
    if (is_new) symbols_.push_back(symbol);
    return at->second;
  }

  void count(std::uint32_t w, std::int32_t left, std::int32_t right) {
    const std::uint64_t key = key_of(left, right);
    Occurrences& o = pairs_[key];
    o.count += words_[w].count;
    if (o.words.empty() || o.words.back() != w) o.words.push_back(w);
    changed_.push_back(key);
  }
  void discount(std::uint32_t w, std::int32_t left, std::int32_t right) {
    pairs_[key_of(left, right)].count -= words_[w].count;
  }

  void push_changed() {
    std::sort(changed_.begin(), changed_.end());
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    for (const std::uint64_t key : changed_) heap_.push({pairs_[key].count, key});
    changed_.clear();
  }

  void merge_pair(std::uint64_t key) {
    const auto a = static_cast<std::int32_t>(key >> 32), b = static_cast<std::int32_t>(key & 0xffffffff);
    const std::int32_t ab = id(join_(left(key), right(key)));
    const auto words = std::move(pairs_[key].words);
    pairs_[key].words.clear();
    for (const std::uint32_t w : words)
      merge(words_[w].symbols, a, b, ab, [&](std::int32_t before, std::int32_t after) {
        discount(w, a, b);
        if (before >= 0) discount(w, before, a), count(w, before, ab);
        if (after >= 0) discount(w, b, after), count(w, ab, after);
      });
    push_changed();
  }

  struct Rarer {
    const Learner* self;
    bool operator()(const Entry& a, const Entry& b) const {
      if (a.count != b.count) return a.count < b.count;
      if (const int order = self->left(a.key).compare(self->left(b.key))) return order < 0;
      return self->right(a.key) < self->right(b.key);
    }
  };

  JoinSymbols join_;
  std::vector<Word> words_;
  std::vector<std::string> symbols_;
  StringMap<std::int32_t> ids_;
  std::unordered_map<std::uint64_t, Occurrences> pairs_;
  std::vector<std::uint64_t> changed_;
  std::priority_queue<Entry, std::vector<Entry>, Rarer> heap_{Rarer{this}};
};

}  // namespace

void learn_merges(const std::vector<CountedSymbols>& words, const JoinSymbols& join, std::int64_t min_count,
                  const std::function<bool(const std::string&, const std::string&)>& on_merge) {
  Learner learner(words, join);
  while (const auto pair = learner.merge_next(min_count))
    if (!on_merge(pair->first, pair->second)) return;
}

Bpe Bpe::learn(const TokenCounts& counts, const BpeOptions& options) {
  std::vector<CountedSymbols> words;
  for (const auto& [word, count] : counts) {
    require_utf8(word, "bpe", "a word");
    require(word.find_first_of(" \t\n\r") == word.npos, "bpe", "the word ", in_quotes(word),
            " holds a space");
    words.push_back({first_symbols(word), count});
  }
  std::vector<Pair> merges;
  if (options.merges > 0)
    learn_merges(words, std::plus<std::string>(), options.min_count,
                 [&](const auto& left, const auto& right) {
                   merges.emplace_back(left, right);
                   return merges.size() < options.merges;
                 });
  return Bpe(std::move(merges));
}

Bpe::Bpe(std::vector<Pair> merges) : merges_(std::move(merges)) {
  for (std::size_t rank = 0; rank < merges_.size(); ++rank) {
    const auto& [left, right] = merges_[rank];
    // A pair may come up again after other merges have made its symbols anew; its first place counts.
    of_pair_.try_emplace(key_of(symbol(left), symbol(right)), Merge{rank, symbol(left + right)});
  }
}

std::int32_t Bpe::symbol(std::string_view text) {
  const auto [at, is_new] = ids_.try_emplace(std::string(text), static_cast<std::int32_t>(symbols_.size()));
  if (is_new) symbols_.emplace_back(text);
  return at->second;
}

std::vector<std::string> Bpe::pieces_of(const std::string& word) const {
  std::vector<std::string> pieces = first_symbols(word);
  // What is in no merge keeps a number of its own below 0.
  Symbols symbols;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto at = ids_.find(pieces[i]);
    symbols.push_back(at == ids_.end() ? -1 - static_cast<std::int32_t>(i) : at->second);
  }
  for (;;) {
    Merge first{std::numeric_limits<std::size_t>::max(), 0};
    std::size_t where = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto at = of_pair_.find(key_of(symbols[i], symbols[i + 1]));
      if (at != of_pair_.end() && at->second.rank < first.rank) first = at->second, where = i;
    }
    if (first.rank == std::numeric_limits<std::size_t>::max()) break;
    merge(symbols, symbols[where], symbols[where + 1], first.result, [](auto, auto) {});
  }
  std::vector<std::string> out;
  for (const std::int32_t s : symbols)
    out.push_back(s < 0 ? pieces[static_cast<std::size_t>(-1 - s)] : symbols_[static_cast<std::size_t>(s)]);
  for (std::size_t i = 0; i + 1 < out.size(); ++i) out[i] += goes_on;
  if (!out.empty()) out.back().resize(out.back().size() - end_of_word.size());
  return out;
}

std::vector<std::string> Bpe::split(std::span<const std::string> words) const {
  std::vector<std::string> out;
  for (const std::string& word : words) {
    auto at = known_.find(word);
    if (at == known_.end()) {
      require_utf8(word, "bpe", "a word");
      if (known_.size() >= most_words_known) known_.clear();
      at = known_.emplace(word, pieces_of(word)).first;
    }
    out.insert(out.end(), at->second.begin(), at->second.end());
  }
  return out;
}

std::vector<std::string> Bpe::join(std::span<const std::string> pieces) {
  std::vector<std::string> out;
  bool open = false;
  for (const std::string_view piece : pieces) {
    if (!open) out.emplace_back();
    open = piece.ends_with(goes_on);
    out.back() += piece.substr(0, piece.size() - (open ? goes_on.size() : 0));
  }
  return out;
}

void Bpe::save(const std::filesystem::path& path) const {
  std::string text = cat(version, "\n");
  for (const auto& [left, right] : merges_) text += left + ' ' + right + '\n';
  write_atomically(path, text, "bpe");
}

Bpe Bpe::load(const std::filesystem::path& path) {
  const std::string text = read_text(path, std::uint64_t{1} << 30, "bpe");
  std::vector<Pair> merges;
  for (std::size_t at = 0, number = 1; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    const std::string where = cat(path.string(), ": line ", number);
    at = end + 1;
    require_utf8(line, "bpe", where);
    if (number == 1) {
      require(line == version, "bpe", where, " is ", in_quotes(line), ", not ", in_quotes(version));
      continue;
    }
    const std::vector<std::string> symbols = split_words(line);
    require(symbols.size() == 2, "bpe", where, ": ", in_quotes(line), " is not a pair of symbols");
    merges.emplace_back(symbols[0], symbols[1]);
  }
  require(!text.empty(), "bpe", path.string(), ": line 1 is not ", in_quotes(version));
  return Bpe(std::move(merges));
}

}  // namespace fovea
