#include "fovea/models/text/vocabulary.h"

#include <algorithm>
#include <utility>

#include "fovea/core/atomic_file.h"
#include "fovea/core/byte_reader.h"
#include "fovea/core/gzip.h"
#include "fovea/core/utf8.h"

namespace fovea {
namespace {

std::vector<std::string> most_frequent(const TokenCounts& counts, const VocabularyOptions& options) {
  std::vector<std::string> out = options.specials;
  std::vector<std::pair<std::int64_t, std::string_view>> rest;
  for (const auto& [token, count] : counts)
    if (count >= options.min_count && std::find(out.begin(), out.end(), token) == out.end())
      rest.emplace_back(count, token);
  // `counts` is sorted by bytes, and a stable sort keeps that order among equals.
  std::stable_sort(rest.begin(), rest.end(), [](auto& a, auto& b) { return a.first > b.first; });
  require(options.max_size == 0 || options.max_size >= out.size(), "vocabulary", "there is no room for ",
          out.size(), " special tokens in a vocabulary of ", options.max_size);
  if (options.max_size > 0) rest.resize(std::min(rest.size(), options.max_size - out.size()));
  for (const auto& [count, token] : rest) out.emplace_back(token);
  return out;
}

std::string escaped(std::string_view token) {
  std::string out;
  for (const char c : token) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else
      out += c;
  }
  return out;
}

/// Undoes it; false where a backslash is followed by anything else.
bool unescape(std::string_view line, std::string& token) {
  token.clear();
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      token += line[i];
      continue;
    }
    const char next = ++i < line.size() ? line[i] : '\0';
    if (next != '\\' && next != 'n' && next != 'r') return false;
    token += next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
  }
  return true;
}

}  // namespace

void count_tokens(TokenCounts& counts, std::span<const std::string> tokens) {
  for (const std::string& token : tokens) ++counts[token];
}

Vocabulary::Vocabulary(std::vector<std::string> tokens, std::string_view unknown)
    : tokens_(std::move(tokens)) {
  require(tokens_.size() <= 0x7fffffff, "vocabulary", tokens_.size(), " tokens have no 32-bit ids");
  ids_.reserve(tokens_.size());
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    require(!tokens_[i].empty(), "vocabulary", "token ", i, " is empty");
    const auto [at, is_new] = ids_.try_emplace(tokens_[i], static_cast<std::int32_t>(i));
    require(is_new, "vocabulary", "tokens ", at->second, " and ", i, " are both ", in_quotes(tokens_[i]));
  }
  if (unknown.empty()) return;
  const auto at = ids_.find(unknown);
  require(at != ids_.end(), "vocabulary", "the token for unknown ones, ", in_quotes(unknown),
          ", is not there");
  unknown_ = at->second;
}

Vocabulary::Vocabulary(const TokenCounts& counts, const VocabularyOptions& options)
    : Vocabulary(most_frequent(counts, options), options.unknown) {}

std::int32_t Vocabulary::id(std::string_view token) const {
  const auto at = ids_.find(token);
  if (at != ids_.end()) return at->second;
  require(unknown_ >= 0, "vocabulary", "there is no ", in_quotes(token), " among ", size(), " tokens");
  return unknown_;
}

const std::string& Vocabulary::token(std::int32_t id) const {
  require(id >= 0 && static_cast<std::size_t>(id) < size(), "vocabulary", "there is no id ", id, " among ",
          size(), " tokens");
  return tokens_[static_cast<std::size_t>(id)];
}

std::vector<std::int32_t> Vocabulary::ids(std::span<const std::string> tokens) const {
  std::vector<std::int32_t> out;
  out.reserve(tokens.size());
  for (const std::string& token : tokens) out.push_back(id(token));
  return out;
}

std::vector<std::string> Vocabulary::tokens(std::span<const std::int32_t> ids) const {
  std::vector<std::string> out;
  out.reserve(ids.size());
  for (const std::int32_t id : ids) out.push_back(token(id));
  return out;
}

void Vocabulary::save(const std::filesystem::path& path) const {
  std::string text;
  for (const std::string& token : tokens_) text += escaped(token) + '\n';
  write_atomically(path, text, "vocabulary");
}

Vocabulary Vocabulary::load(const std::filesystem::path& path, std::string_view unknown) {
  const std::string text = read_text(path, std::uint64_t{1} << 30, "vocabulary");
  std::vector<std::string> tokens;
  StringMap<std::size_t> lines;
  for (std::size_t at = 0, line = 1; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view raw = std::string_view(text).substr(at, end - at);
    const std::string where = cat(path.string(), ": line ", line);
    require_utf8(raw, "vocabulary", where);
    std::string token;
    require(unescape(raw, token), "vocabulary", where, ": ", in_quotes(raw),
            " has a backslash before neither \\, n nor r");
    require(!token.empty(), "vocabulary", where, " is empty");
    const auto [first, is_new] = lines.try_emplace(token, line);
    require(is_new, "vocabulary", where, ": ", in_quotes(token), " stands in line ", first->second,
            " already");
    tokens.push_back(std::move(token));
    at = end + 1;
  }
  require(unknown.empty() || lines.contains(unknown), "vocabulary", path.string(), ": has no ",
          in_quotes(unknown), ", the token for unknown ones");
  return Vocabulary(std::move(tokens), unknown);
}

}  // namespace fovea
