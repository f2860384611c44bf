#ifndef FOVEA_CORE_UTF8_H_
#define FOVEA_CORE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "fovea/core/error.h"

/// UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, nothing above U+10FFFF.

namespace fovea {

/// Stands for bytes that are no UTF-8.
inline constexpr char32_t replacement_character = 0xFFFD;

/// The code point that starts at text[at], at < text.size(), and moves `at` behind it. Where the bytes are no
/// UTF-8 it gives the replacement character, one for each longest run that could have begun a code point (the
/// practice that Unicode recommends, and Python's "replace").
char32_t next_code_point(std::string_view text, std::size_t& at);

/// The offset of the first byte that is no UTF-8; text.size() when all of it is.
std::size_t valid_utf8_length(std::string_view text);

/// Throws Error unless text is UTF-8: `[word_piece] a sentence: byte 0xFF at offset 12 is not UTF-8`.
void require_utf8(std::string_view text, const char* op, std::string_view what);

/// The code points of a text; ill-formed bytes become replacement characters.
std::u32string code_points(std::string_view text);

/// Appends one code point.
void append_utf8(std::string& text, char32_t code_point);

}  // namespace fovea

#endif  // FOVEA_CORE_UTF8_H_
