#include "fovea/models/text/byte_bpe.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <queue>
#include <utility>

#include "fovea/core/byte_reader.h"
#include "fovea/core/utf8.h"
#include "fovea/models/text/symbol_pair.h"
#include "fovea/models/text/unicode.h"

namespace fovea {
namespace {

constexpr std::size_t most_pieces_known = std::size_t{1} << 18, longest_known = 64;

/// The letter that stands for a byte in the files: itself if it can be seen, else the next of U+0100, ...
const std::array<char32_t, 256>& letters() {
  static const std::array<char32_t, 256> all = [] {
    std::array<char32_t, 256> out{};
    char32_t next = 0x100;
    for (char32_t b = 0; b < 256; ++b) {
      const bool seen = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      out[b] = seen ? b : next++;
    }
    return out;
  }();
  return all;
}

/// The bytes that a token's letters stand for; false when one stands for none.
bool to_bytes(std::string_view token, std::string& bytes) {
  static const std::unordered_map<char32_t, char> byte_of = [] {
    std::unordered_map<char32_t, char> out;
    for (std::size_t b = 0; b < 256; ++b) out[letters()[b]] = static_cast<char>(b);
    return out;
  }();
  bytes.clear();
  for (std::size_t at = 0; at < token.size();) {
    const auto found = byte_of.find(next_code_point(token, at));
    if (found == byte_of.end()) return false;
    bytes += found->second;
  }
  return true;
}

enum class Kind { space, letter, number, symbol };

Kind kind_of(char32_t c) {
  if (c < 0x80) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return Kind::letter;
    if (c >= '0' && c <= '9') return Kind::number;
    return c == ' ' || (c >= 0x09 && c <= 0x0D) ? Kind::space : Kind::symbol;
  }
  if (unicode::is_letter(c)) return Kind::letter;
  if (unicode::is_number(c)) return Kind::number;
  return unicode::is_space(c) ? Kind::space : Kind::symbol;
}

/// The length of the word that begins at text[at].
std::size_t word_length(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (rest.starts_with(ending)) return ending.size();
  std::size_t end = 0, last = 0;  // of what has been taken, and where its last code point begins
  Kind kind = kind_of(next_code_point(rest, end));
  if (rest[0] == ' ' && end < rest.size()) {  // the space of what follows, if that is none
    std::size_t next = end;
    const Kind following = kind_of(next_code_point(rest, next));
    if (following != Kind::space) kind = following, last = end, end = next;
  }
  while (end < rest.size()) {
    std::size_t next = end;
    if (kind_of(next_code_point(rest, next)) != kind) {
      // The last of several spaces is left to what follows.
      return kind == Kind::space && last > 0 ? last : end;
    }
    last = end;
    end = next;
  }
  return end;
}

}  // namespace

std::vector<std::string_view> gpt2_words(std::string_view text) {
  require_utf8(text, "byte_bpe", "the text");
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < text.size(); at += out.back().size())
    out.push_back(text.substr(at, word_length(text, at)));
  return out;
}

ByteBpe::ByteBpe(ByteBpeFile file)
    : added_(std::move(file.added), "byte_bpe"),
      add_prefix_space_(file.add_prefix_space),
      ignore_merges_(file.ignore_merges),
      bytes_of_(file.vocabulary.size()) {
  StringMap<std::int32_t> by_letters;
  std::string bytes;
  for (std::size_t i = 0; i < file.vocabulary.size(); ++i) {
    const std::string& token = file.vocabulary[i];
    const auto id = static_cast<std::int32_t>(i);
    if (token.empty()) continue;
    const auto [at, is_new] = by_letters.try_emplace(token, id);
    require(is_new, "byte_bpe", "tokens ", at->second, " and ", i, " are both ", in_quotes(token));
    if (added_.find(id)) {
      bytes_of_[i] = token;
    } else {
      require(to_bytes(token, bytes), "byte_bpe", "token ", i, ", ", in_quotes(token),
              ", has a letter that stands for no byte");
      bytes_of_[i] = bytes;
      ids_.emplace(bytes, id);
    }
  }
  for (const AddedToken& token : added_.tokens()) {
    require(token.id >= 0 && static_cast<std::size_t>(token.id) < size() &&
                bytes_of_[static_cast<std::size_t>(token.id)] == token.content,
            "byte_bpe", "the added token ", in_quotes(token.content), " is not the vocabulary's token ",
            token.id);
  }
  for (std::size_t b = 0; b < 256; ++b) {
    const auto at = ids_.find(std::string(1, static_cast<char>(b)));
    require(at != ids_.end(), "byte_bpe", "the vocabulary has no token for the byte ", b);
    byte_ids_[b] = at->second;
  }
  for (std::size_t rank = 0; rank < file.merges.size(); ++rank) {
    const auto& [left, right] = file.merges[rank];
    const auto id = [&](const std::string& token) {
      const auto at = by_letters.find(token);
      require(at != by_letters.end(), "byte_bpe", "merge ", rank, ", ", in_quotes(left), " and ",
              in_quotes(right), ": ", in_quotes(token), " is not in the vocabulary");
      return at->second;
    };
    of_pair_.try_emplace(key_of(id(left), id(right)),
                         Merge{static_cast<std::int32_t>(rank), id(left + right)});
  }
}

void ByteBpe::save_tokenizer(const std::filesystem::path& folder) const {
  using Json = nlohmann::ordered_json;
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < size(); ++i) {
    std::string& token = tokens.emplace_back();
    if (added_.find(static_cast<std::int32_t>(i)))
      token = bytes_of_[i];
    else
      for (const char byte : bytes_of_[i]) append_utf8(token, letters()[static_cast<unsigned char>(byte)]);
  }
  Json vocabulary = Json::object(), merges = Json::array(), added = Json::array();
  for (std::size_t i = 0; i < size(); ++i)
    if (!tokens[i].empty()) vocabulary[tokens[i]] = i;
  std::vector<std::pair<std::int32_t, std::uint64_t>> by_rank;
  for (const auto& [pair, merge] : of_pair_) by_rank.emplace_back(merge.rank, pair);
  std::sort(by_rank.begin(), by_rank.end());
  for (const auto& [rank, pair] : by_rank)
    merges.push_back(tokens[pair >> 32] + ' ' + tokens[pair & 0xffffffff]);
  for (const AddedToken& t : added_.tokens())
    added.push_back({{"id", t.id},
                     {"content", t.content},
                     {"single_word", t.single_word},
                     {"lstrip", t.left_strip},
                     {"rstrip", t.right_strip},
                     {"normalized", false},
                     {"special", t.special}});
  const Json bytes{{"type", "ByteLevel"},
                   {"add_prefix_space", add_prefix_space_},
                   {"trim_offsets", true},
                   {"use_regex", true}};
  const Json file{{"version", "1.0"},
                  {"added_tokens", added},
                  {"normalizer", nullptr},
                  {"pre_tokenizer", bytes},
                  {"post_processor", nullptr},
                  {"decoder", bytes},
                  {"model",
                   {{"type", "BPE"},
                    {"ignore_merges", ignore_merges_},
                    {"vocab", std::move(vocabulary)},
                    {"merges", std::move(merges)}}}};
  write_tokenizer(folder, file.dump(), "byte_bpe");
}

std::int32_t ByteBpe::added(std::string_view token) const {
  for (const AddedToken& t : added_.tokens())
    if (t.content == token) return t.id;
  return -1;
}

// The merge of the lowest rank is made first, of equal ones the leftmost. A heap holds the possible ones by
// place; symbols are linked, so that a word of any length takes n log n.
std::vector<std::int32_t> ByteBpe::merged(std::string_view word) const {
  struct Symbol {
    std::int32_t id, before, after;  // -1: none
  };
  struct Possible {
    std::int32_t rank, at, result;
    bool operator<(const Possible& o) const { return rank != o.rank ? rank > o.rank : at > o.at; }
  };
  const auto count = static_cast<std::int32_t>(word.size());
  std::vector<Symbol> symbols(word.size());
  const auto symbol = [&](std::int32_t i) -> Symbol& { return symbols[static_cast<std::size_t>(i)]; };
  for (std::int32_t i = 0; i < count; ++i)
    symbol(i) = {byte_ids_[static_cast<unsigned char>(word[static_cast<std::size_t>(i)])], i - 1,
                 i + 1 < count ? i + 1 : -1};
  std::priority_queue<Possible> heap;
  const auto consider = [&](std::int32_t left) {
    if (left < 0 || symbol(left).after < 0) return;
    const auto at = of_pair_.find(key_of(symbol(left).id, symbol(symbol(left).after).id));
    if (at != of_pair_.end()) heap.push({at->second.rank, left, at->second.result});
  };
  for (std::int32_t i = 0; i + 1 < count; ++i) consider(i);
  while (!heap.empty()) {
    const Possible best = heap.top();
    heap.pop();
    Symbol& left = symbol(best.at);
    if (left.id < 0 || left.after < 0) continue;  // has been taken into another
    Symbol& right = symbol(left.after);
    const auto at = of_pair_.find(key_of(left.id, right.id));
    if (at == of_pair_.end() || at->second.result != best.result) continue;  // other symbols by now
    left.id = best.result;
    left.after = right.after;
    right.id = -1;
    if (left.after >= 0) symbol(left.after).before = best.at;
    consider(left.before);
    consider(best.at);
  }
  std::vector<std::int32_t> out;
  for (std::int32_t i = 0; i >= 0 && i < count; i = symbol(i).after) out.push_back(symbol(i).id);
  return out;
}

void ByteBpe::add_word(std::string_view word, std::vector<std::int32_t>& out) const {
  auto at = known_.find(word);
  if (at == known_.end()) {
    const auto whole = ignore_merges_ ? ids_.find(word) : ids_.end();
    std::vector<std::int32_t> ids = whole != ids_.end() ? std::vector{whole->second} : merged(word);
    if (word.size() > longest_known) {
      out.insert(out.end(), ids.begin(), ids.end());
      return;
    }
    if (known_.size() >= most_pieces_known) known_.clear();
    at = known_.emplace(word, std::move(ids)).first;
  }
  out.insert(out.end(), at->second.begin(), at->second.end());
}

std::vector<std::int32_t> ByteBpe::encode(std::string_view text) const {
  require_utf8(text, "byte_bpe", "the text");
  require(text.size() <= 0x7fffffff, "byte_bpe", "a text of ", text.size(), " bytes is too long");
  std::vector<std::int32_t> out;
  added_.split(
      text,
      [&](std::string_view part) {
        std::string spaced;
        if (add_prefix_space_ && part[0] != ' ') part = spaced = cat(" ", part);
        for (const std::string_view word : gpt2_words(part)) add_word(word, out);
      },
      [&](std::int32_t id) { out.push_back(id); });
  return out;
}

std::string ByteBpe::decode(std::span<const std::int32_t> ids) const {
  std::string out;
  for (const std::int32_t id : ids) {
    require(id >= 0 && static_cast<std::size_t>(id) < size(), "byte_bpe", "there is no id ", id, " among ",
            size());
    out += bytes_of_[static_cast<std::size_t>(id)];
  }
  return out;
}

}  // namespace fovea
