#include "fovea/models/text/bert_words.h"

#include <algorithm>
#include <utility>

#include "fovea/core/utf8.h"
#include "fovea/models/text/unicode.h"

namespace fovea {
namespace {

bool is_chinese(char32_t c) {
  constexpr std::pair<char32_t, char32_t> blocks[] = {
      {0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
      {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F},
  };
  if (c < 0x3400) return false;
  return std::any_of(std::begin(blocks), std::end(blocks),
                     [&](auto& b) { return b.first <= c && c <= b.second; });
}

bool is_ascii_punctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}
bool is_punctuation(char32_t c) { return c < 0x80 ? is_ascii_punctuation(c) : unicode::is_punctuation(c); }

bool is_space(char32_t c) { return c == ' ' || unicode::is_space(c); }

bool is_control(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  if (c < 0x80) return c < 0x20 || c == 0x7F;
  return unicode::is_other(c);
}

std::u32string normalized(std::string_view text, const BertWordsOptions& options) {
  std::u32string out;
  out.reserve(text.size());
  bool plain = true;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    plain &= c < 0x80;
    if (options.clean && (c == 0 || c == replacement_character || is_control(c))) continue;
    if (options.split_chinese && is_chinese(c))
      out += {U' ', c, U' '};
    else
      out += options.clean && is_space(c) ? U' ' : c;
  }
  if (options.strip_accents && !plain) {
    out = unicode::nfd(out);
    std::erase_if(out, unicode::is_nonspacing_mark);
  }
  if (options.lower) {
    std::u32string small;
    small.reserve(out.size());
    for (const char32_t c : out) {
      if (c < 0x80)
        small += c >= 'A' && c <= 'Z' ? c + 32 : c;
      else
        unicode::append_lower(small, c);
    }
    out = std::move(small);
  }
  return out;
}

}  // namespace

std::vector<std::string> bert_words(std::string_view text, const BertWordsOptions& options) {
  require_utf8(text, "bert_words", "the text");
  std::vector<std::string> words;
  bool open = false;  // whether the last word goes on
  for (const char32_t c : normalized(text, options)) {
    const bool space = is_space(c), alone = is_punctuation(c);
    if (!space && (!open || alone)) words.emplace_back();
    if (!space) append_utf8(words.back(), c);
    open = !space && !alone;
  }
  return words;
}

}  // namespace fovea
