#include "fovea/core/utf8.h"

#include <doctest/doctest.h>

#include "tests/errors.h"

using namespace fovea;
using fovea::tests::error_of;

TEST_CASE("utf8: every code point there and back") {
  std::size_t wrong = 0;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c == 0xD800) c = 0xE000;
    std::string text;
    append_utf8(text, c);
    std::size_t at = 0;
    wrong += next_code_point(text, at) != c || at != text.size() || valid_utf8_length(text) != text.size();
    for (std::size_t cut = 1; cut < text.size(); ++cut) wrong += valid_utf8_length(text.substr(0, cut)) != 0;
  }
  CHECK(wrong == 0);
}

TEST_CASE("utf8: what is none, and what stands for it") {
  // As Python's bytes.decode("utf-8", "replace") has it.
  const std::u32string r = {replacement_character};
  const std::pair<std::string, std::u32string> cases[] = {
      {"\x80", r},
      {"a\xFFz", U"a" + r + U"z"},
      {"\xC0\xAF", r + r},                  // '/' in two bytes
      {"\xE0\x9F\xBF", r + r + r},          // U+07FF in three
      {"\xF0\x8F\xBF\xBF", r + r + r + r},  // U+FFFF in four
      {"\xED\xA0\x80", r + r + r},          // a surrogate
      {"\xF4\x90\x80\x80", r + r + r + r},  // U+110000
      {"\xF5\x80", r + r},
      {"\xE2\x82", r},  // cut off
      {"\xE2\x82z", r + U"z"},
      {"\xF0\x9F\x98", r},
      {"\xE2\xE2\x82\xAC", r + U"€"},
  };
  for (const auto& [text, want] : cases) {
    CAPTURE(text.size());
    CHECK(code_points(text) == want);
    CHECK(valid_utf8_length(text) < text.size());
  }
  CHECK(code_points("").empty());
  CHECK(error_of([] { require_utf8("gr\xC3\xBC\xDF", "test", "a word"); }) ==
        "[test] a word: byte 0xDF at offset 4 is not UTF-8");
  CHECK(error_of([] { require_utf8("grün", "test", "a word"); }).empty());
}
