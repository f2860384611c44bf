#include "fovea/models/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>

#include "fovea/core/error.h"
#include "fovea/core/utf8.h"

namespace fovea::unicode {
namespace {

utf8proc_category_t category(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

bool between(char32_t c, utf8proc_category_t first, utf8proc_category_t last) {
  const auto x = category(c);
  return first <= x && x <= last;
}

}  // namespace

bool is_letter(char32_t c) { return between(c, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO); }
bool is_lowercase(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LL; }
bool is_mark(char32_t c) { return between(c, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME); }
bool is_nonspacing_mark(char32_t c) { return category(c) == UTF8PROC_CATEGORY_MN; }
bool is_number(char32_t c) { return between(c, UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO); }
bool is_decimal_digit(char32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }
bool is_letter_number(char32_t c) { return category(c) == UTF8PROC_CATEGORY_NL; }
bool is_punctuation(char32_t c) { return between(c, UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO); }
bool is_other(char32_t c) { return between(c, UTF8PROC_CATEGORY_CC, UTF8PROC_CATEGORY_CO); }

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x85 || between(c, UTF8PROC_CATEGORY_ZS, UTF8PROC_CATEGORY_ZP);
}

void append_lower(std::u32string& out, char32_t c) {
  if (c == 0x130) {
    out += U"i\u0307";  // the one code point whose small form is two
    return;
  }
  out += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

std::string lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::u32string small;
  for (std::size_t at = 0; at < text.size();) {
    small.clear();
    append_lower(small, next_code_point(text, at));
    for (const char32_t c : small) append_utf8(out, c);
  }
  return out;
}

std::u32string nfd(const std::u32string& text) {
  std::string bytes;
  for (const char32_t c : text) append_utf8(bytes, c);
  const auto* in = reinterpret_cast<const utf8proc_uint8_t*>(bytes.data());
  const auto length = static_cast<utf8proc_ssize_t>(bytes.size());
  constexpr auto options = UTF8PROC_DECOMPOSE;
  static_assert(sizeof(char32_t) == sizeof(utf8proc_int32_t));
  std::u32string out(text.size() + text.size() / 2 + 8, U'\0');
  for (;;) {
    const auto room = static_cast<utf8proc_ssize_t>(out.size());
    const auto size =
        utf8proc_decompose(in, length, reinterpret_cast<utf8proc_int32_t*>(out.data()), room, options);
    require(size >= 0, "nfd", utf8proc_errmsg(size));
    out.resize(static_cast<std::size_t>(size));
    if (size <= room) return out;
  }
}

}  // namespace fovea::unicode
