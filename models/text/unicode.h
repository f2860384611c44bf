#ifndef FOVEA_MODELS_TEXT_UNICODE_H_
#define FOVEA_MODELS_TEXT_UNICODE_H_

#include <string>
#include <string_view>

/// What tokenizers ask Unicode's tables (utf8proc's).

namespace fovea::unicode {

/// General categories by their first letter, and the ones asked for by both.
bool is_letter(char32_t c);           ///< L
bool is_lowercase(char32_t c);        ///< Ll
bool is_mark(char32_t c);             ///< M
bool is_nonspacing_mark(char32_t c);  ///< Mn
bool is_number(char32_t c);           ///< N
bool is_decimal_digit(char32_t c);    ///< Nd
bool is_letter_number(char32_t c);    ///< Nl
bool is_punctuation(char32_t c);      ///< P
bool is_other(char32_t c);  ///< Cc, Cf, Co, Cs; not Cn: what is unassigned here may be assigned later
bool is_space(char32_t c);  ///< the property White_Space

/// Appends c in small letters, without regard to its neighbours: U+0130 becomes an i and a dot above.
void append_lower(std::u32string& out, char32_t c);
/// The text in small letters.
std::string lower(std::string_view text);

/// Normal form D: canonical decompositions, with marks in canonical order.
std::u32string nfd(const std::u32string& text);

}  // namespace fovea::unicode

#endif  // FOVEA_MODELS_TEXT_UNICODE_H_
