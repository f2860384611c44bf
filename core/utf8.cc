#include "fovea/core/utf8.h"

#include <cstdio>

namespace fovea {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

/// The code point at text[at], with its length; if there is none, false and the bytes that could have begun
/// one.
struct Decoded {
  char32_t code_point;
  std::size_t length;
  bool valid;
};

Decoded decode(std::string_view text, std::size_t at) {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return {first, 1, true};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return {replacement_character, 1, false};
  // The second byte's range rules out longer forms, surrogates, and what is above U+10FFFF.
  unsigned low = 0x80, high = 0xBF;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  char32_t c = first & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i, low = 0x80, high = 0xBF) {
    const unsigned next = byte_at(text, at + i);
    if (next < low || next > high) return {replacement_character, i, false};
    c = c << 6 | (next & 0x3F);
  }
  return {c, length, true};
}

}  // namespace

char32_t next_code_point(std::string_view text, std::size_t& at) {
  const Decoded d = decode(text, at);
  at += d.length;
  return d.code_point;
}

std::size_t valid_utf8_length(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Decoded d = decode(text, at);
    if (!d.valid) break;
    at += d.length;
  }
  return at;
}

void require_utf8(std::string_view text, const char* op, std::string_view what) {
  const std::size_t at = valid_utf8_length(text);
  if (at == text.size()) return;
  char byte[8];
  std::snprintf(byte, sizeof byte, "0x%02X", byte_at(text, at));
  fail(op, what, ": byte ", byte, " at offset ", at, " is not UTF-8");
}

std::u32string code_points(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) out += next_code_point(text, at);
  return out;
}

void append_utf8(std::string& text, char32_t c) {
  const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

}  // namespace fovea
