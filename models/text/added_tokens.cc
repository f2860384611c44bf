#include "fovea/models/text/added_tokens.h"

#include <algorithm>
#include <utility>

#include "fovea/core/byte_reader.h"
#include "fovea/core/utf8.h"
#include "fovea/models/text/unicode.h"

namespace fovea {
namespace {

bool in_word(char32_t c) {
  return c == '_' || unicode::is_letter(c) || unicode::is_mark(c) || unicode::is_number(c);
}

bool word_follows(std::string_view text, std::size_t at) {
  return at < text.size() && in_word(next_code_point(text, at));
}

/// Where the code point before text[at] begins.
std::size_t previous(std::string_view text, std::size_t at) {
  do --at;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, const char* op) : tokens_(std::move(tokens)) {
  std::stable_sort(tokens_.begin(), tokens_.end(),
                   [](auto& a, auto& b) { return a.content.size() > b.content.size(); });
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const std::string& content = tokens_[i].content;
    require(!content.empty(), op, "the added token of id ", tokens_[i].id, " is empty");
    auto& places = by_byte_[static_cast<unsigned char>(content[0])];
    for (const std::size_t p : places)
      require(tokens_[p].content != content, op, "the added token ", in_quotes(content), " is given twice");
    places.push_back(i);
  }
}

const AddedToken* AddedTokens::find(std::int32_t id) const {
  const auto at = std::find_if(tokens_.begin(), tokens_.end(), [&](auto& t) { return t.id == id; });
  return at == tokens_.end() ? nullptr : &*at;
}

const AddedToken* AddedTokens::match(std::string_view text, std::size_t at) const {
  for (const std::size_t p : by_byte_[static_cast<unsigned char>(text[at])])
    if (text.substr(at).starts_with(tokens_[p].content)) return &tokens_[p];
  return nullptr;
}

void AddedTokens::split(std::string_view text, const std::function<void(std::string_view)>& part,
                        const std::function<void(std::int32_t)>& token) const {
  std::size_t from = 0;  // of the part that stands open
  for (std::size_t at = 0; at < text.size();) {
    const AddedToken* found = match(text, at);
    if (!found) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = at + found->content.size();
    at = end;
    if (found->single_word &&
        ((begin > 0 && word_follows(text, previous(text, begin))) || word_follows(text, end)))
      continue;
    if (found->left_strip) {
      while (begin > from) {
        std::size_t before = previous(text, begin), next = before;
        if (!unicode::is_space(next_code_point(text, next))) break;
        begin = before;
      }
    }
    if (found->right_strip) {
      for (std::size_t next = end; next < text.size(); end = next)
        if (!unicode::is_space(next_code_point(text, next))) break;
    }
    if (begin > from) part(text.substr(from, begin - from));
    token(found->id);
    from = at = end;
  }
  if (from < text.size()) part(text.substr(from));
}

}  // namespace fovea
