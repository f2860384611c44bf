#include "fovea/models/text/word_tokenizer.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "fovea/core/utf8.h"
#include "fovea/models/text/unicode.h"

namespace fovea {
namespace {

using Class = bool (*)(char32_t);
using Text = std::u32string;

bool alphabetic(char32_t c) {
  return unicode::is_letter(c) || unicode::is_letter_number(c) || unicode::is_mark(c);
}
bool not_alphabetic(char32_t c) { return !alphabetic(c); }
bool number(char32_t c) { return unicode::is_number(c); }
bool not_number(char32_t c) { return !unicode::is_number(c); }
bool neither(char32_t c) { return !alphabetic(c) && !unicode::is_number(c); }
bool digit(char32_t c) { return unicode::is_decimal_digit(c); }
bool letter_s(char32_t c) { return c == 's'; }
bool dot(char32_t c) { return c == '.'; }

/// What stands between a character of one class and one of another: "before from after" becomes "before to
/// after". As with a regular expression, a match takes both neighbours, so they serve no second match.
struct Rule {
  Class before;  // null: nothing is looked at
  const char32_t* from;
  Class after;
  const char32_t* to;
};

Text substitute(const Rule& rule, const Text& text) {
  const std::u32string_view from = rule.from;
  const std::size_t lead = rule.before ? 1 : 0, all = lead + from.size() + (rule.after ? 1 : 0);
  if (text.find(from) == text.npos) return text;
  Text out;
  out.reserve(text.size() + 8);
  for (std::size_t i = 0; i < text.size();) {
    if (i + all <= text.size() && text.compare(i + lead, from.size(), from) == 0 &&
        (!rule.before || rule.before(text[i])) && (!rule.after || rule.after(text[i + all - 1]))) {
      out.append(text, i, lead).append(rule.to);
      if (rule.after) out += text[i + all - 1];
      i += all;
    } else {
      out += text[i++];
    }
  }
  return out;
}

template <std::size_t N>
void substitute(const Rule (&rules)[N], Text& text) {
  for (const Rule& rule : rules) text = substitute(rule, text);
}

void collapse_spaces(Text& text) {
  Text out;
  for (const char32_t c : text)
    if (c != ' ' || out.empty() || out.back() != ' ') out += c;
  text = std::move(out);
}

// normalize-punctuation.perl, in its order.
constexpr Rule brackets[] = {
    {nullptr, U"\r", nullptr, U""}, {nullptr, U"(", nullptr, U" ("}, {nullptr, U")", nullptr, U") "}};
bool closing(char32_t c) { return std::u32string_view(U".!:?;,").find(c) != std::u32string_view::npos; }
constexpr Rule plain[] = {
    {nullptr, U") ", closing, U")"},  {nullptr, U"( ", nullptr, U"("},    {nullptr, U" )", nullptr, U")"},
    {digit, U" %", nullptr, U"%"},    {nullptr, U" :", nullptr, U":"},    {nullptr, U" ;", nullptr, U";"},
    {nullptr, U"`", nullptr, U"'"},   {nullptr, U"''", nullptr, U" \" "}, {nullptr, U"„", nullptr, U"\""},
    {nullptr, U"“", nullptr, U"\""},  {nullptr, U"”", nullptr, U"\""},    {nullptr, U"–", nullptr, U"-"},
    {nullptr, U"—", nullptr, U" - "},
};
constexpr Rule quotes[] = {
    {nullptr, U"´", nullptr, U"'"},
    {nullptr, U"‘", nullptr, U"'"},
    {nullptr, U"‚", nullptr, U"'"},
    {nullptr, U"’", nullptr, U"'"},
    {nullptr, U"''", nullptr, U"\""},
    {nullptr, U"…", nullptr, U"..."},
    {nullptr, U"\u00A0«\u00A0", nullptr, U"\""},
    {nullptr, U"«\u00A0", nullptr, U"\""},
    {nullptr, U"«", nullptr, U"\""},
    {nullptr, U"\u00A0»\u00A0", nullptr, U"\""},
    {nullptr, U"\u00A0»", nullptr, U"\""},
    {nullptr, U"»", nullptr, U"\""},
    {nullptr, U"\u00A0%", nullptr, U"%"},
    {nullptr, U"nº\u00A0", nullptr, U"nº "},
    {nullptr, U"\u00A0:", nullptr, U":"},
    {nullptr, U"\u00A0?", nullptr, U"?"},
    {nullptr, U"\u00A0!", nullptr, U"!"},
    {nullptr, U"\u00A0;", nullptr, U";"},
    {nullptr, U",\u00A0", nullptr, U", "},
};

/// English puts commas and periods inside of quotation marks, German and French outside.
void order_quotes(Text& text, bool inside) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    std::size_t end = i;
    if (inside) {  // "., to .,"
      if (text[i] != '"') continue;
      while (end + 1 < text.size() && (text[end + 1] == '.' || text[end + 1] == ',')) ++end;
      if (end == i) continue;
      text.erase(i, 1);
      text.insert(end, 1, U'"');
    } else if (text[i] == ',' && text[i + 1] == '"') {
      std::swap(text[i], text[i + 1]);
      end = i + 1;
    } else if (text[i] == '.') {  // ..." to "..., but at the end of the sentence
      while (end < text.size() && text[end] == '.') ++end;
      if (end < text.size() && text[end] == '"' && end + 1 < text.size() && text[end + 1] != '<') {
        text.erase(end, 1);
        text.insert(i, 1, U'"');
      }
    } else {
      continue;
    }
    i = end;
  }
}

void normalize(Text& text, const std::string& language) {
  const bool continental = language == "de" || language == "fr" || language == "es";
  substitute(brackets, text);
  collapse_spaces(text);
  substitute(plain, text);
  collapse_spaces(text);
  substitute(quotes, text);
  collapse_spaces(text);
  if (language == "en" || continental) order_quotes(text, language == "en");
  text = substitute({digit, U"\u00A0", digit, continental ? U"," : U"."}, text);
}

constexpr Rule commas[] = {{not_number, U",", nullptr, U" , "}, {nullptr, U",", not_number, U" , "}};
constexpr Rule english_apostrophes[] = {
    {not_alphabetic, U"'", not_alphabetic, U" ' "},
    {neither, U"'", alphabetic, U" ' "},
    {alphabetic, U"'", not_alphabetic, U" ' "},
    {alphabetic, U"'", alphabetic, U" '"},
    {number, U"'", letter_s, U" '"},
};
constexpr Rule french_apostrophes[] = {
    {not_alphabetic, U"'", not_alphabetic, U" ' "},
    {not_alphabetic, U"'", alphabetic, U" ' "},
    {alphabetic, U"'", not_alphabetic, U" ' "},
    {alphabetic, U"'", alphabetic, U"' "},
};
constexpr Rule other_apostrophes[] = {{nullptr, U"'", nullptr, U" ' "}};

/// Spaces around every character that is in no word, and around two dots and more.
Text pad_symbols(const Text& text) {
  Text out = U" ";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (unicode::is_space(c)) {
      out += ' ';
    } else if (c < 0x20) {
      continue;
    } else if (dot(c) && i + 1 < text.size() && dot(text[i + 1])) {
      out += ' ';
      for (; i < text.size() && dot(text[i]); ++i) out += '.';
      out += ' ';
      --i;
    } else if (alphabetic(c) || digit(c) ||
               std::u32string_view(U".'`,-").find(c) != std::u32string_view::npos) {
      out += c;
    } else {
      out += {U' ', c, U' '};
    }
  }
  return out + U' ';
}

/// What a word's last period belongs to, told by the word and the next one.
bool keeps_period(const Text& stem, const Text* next, const StringMap<bool>& abbreviations) {
  const auto has = [&](Class is) {
    for (const char32_t c : stem)
      if (is(c)) return true;
    return false;
  };
  if (has(dot) && has(alphabetic)) return true;
  if (next && unicode::is_lowercase(next->front())) return true;
  std::string bytes;
  for (const char32_t c : stem) append_utf8(bytes, c);
  const auto at = abbreviations.find(bytes);
  if (at == abbreviations.end()) return stem.size() == 1 && stem[0] >= 'A' && stem[0] <= 'Z';  // an initial
  return !at->second || (next && next->front() >= '0' && next->front() <= '9');
}

StringMap<bool> abbreviations_of(const std::string& language) {
  StringMap<bool> out;
  const auto add = [&](std::initializer_list<const char*> words, bool before_number) {
    for (const char* word : words) out.emplace(word, before_number);
  };
  if (language == "en") {
    add({"Mr",  "Mrs", "Ms",  "Dr",  "Prof", "St", "Jr",  "Sr",  "Gen", "Col",  "Capt", "Lt", "Sgt",
         "Rev", "Hon", "Gov", "Sen", "Rep",  "vs", "etc", "Inc", "Ltd", "Corp", "Bros", "Mt", "approx"},
        false);
    add({"No", "Nos", "Art", "pp", "p", "Fig"}, true);
  } else if (language == "de") {
    add({"Hr", "Fr",  "Dr",  "Prof", "St",  "Str", "bzw", "ca", "evtl", "ggf", "inkl", "Mio", "Mrd",
         "Nr", "sog", "usw", "vgl",  "Abb", "Abs", "Art", "Bd", "Jh",   "Tel", "geb",  "max", "min"},
        false);
    for (int i = 0; i < 100; ++i) out.emplace(std::to_string(i), false);  // ordinals: am 3. Mai
  } else if (language == "fr") {
    add({"M", "MM", "Mme", "Mmes", "Mlle", "Dr", "Pr", "St", "Ste", "etc", "av", "bd", "env", "ex", "vol"},
        false);
    add({"no", "art", "p", "fig"}, true);
  }
  return out;
}

}  // namespace

std::vector<std::string> split_words(std::string_view line) {
  constexpr std::string_view spaces = " \t\n\r";
  std::vector<std::string> out;
  for (std::size_t at = line.find_first_not_of(spaces); at < line.size();) {
    const std::size_t end = std::min(line.find_first_of(spaces, at), line.size());
    out.emplace_back(line.substr(at, end - at));
    at = line.find_first_not_of(spaces, end);
  }
  return out;
}

std::string join_words(std::span<const std::string> tokens) {
  std::string out;
  for (const std::string& token : tokens) (out += out.empty() ? "" : " ") += token;
  return out;
}

WordTokenizer::WordTokenizer(WordTokenizerOptions options)
    : options_(std::move(options)), abbreviations_(abbreviations_of(options_.language)) {}

std::vector<std::string> WordTokenizer::operator()(std::string_view line) const {
  require_utf8(line, "word_tokenizer", "the line");
  Text text;
  for (const char32_t c : code_points(line)) {
    if (options_.lower)
      unicode::append_lower(text, c);
    else
      text += c;
  }
  if (options_.normalize) normalize(text, options_.language);
  text = pad_symbols(text);
  substitute(commas, text);
  if (options_.language == "en")
    substitute(english_apostrophes, text);
  else if (options_.language == "fr" || options_.language == "it")
    substitute(french_apostrophes, text);
  else
    substitute(other_apostrophes, text);

  std::vector<Text> words;
  for (std::size_t at = text.find_first_not_of(U' '); at < text.size();) {
    const std::size_t end = std::min(text.find(U' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(U' ', end);
  }
  std::vector<std::string> out;
  const auto put = [&](std::u32string_view word) {
    std::string bytes;
    for (const char32_t c : word) append_utf8(bytes, c);
    out.push_back(std::move(bytes));
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Text& word = words[i];
    const Text stem = word.substr(0, word.size() - 1);
    const bool ends_in_period = dot(word.back()) && stem.find_first_not_of(U'.') != stem.npos;
    if (!ends_in_period ||
        keeps_period(stem, i + 1 < words.size() ? &words[i + 1] : nullptr, abbreviations_)) {
      put(word);
    } else {
      put(stem);
      put(U".");
    }
  }
  return out;
}

}  // namespace fovea
