#include "fovea/models/text/word_tokenizer.h"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/errors.h"
#include "tests/test_dir.h"

using namespace fovea;
using Words = std::vector<std::string>;

TEST_CASE("word_tokenizer: as the Moses scripts have it") {
  const auto lines = nlohmann::json::parse(std::ifstream(tests::test_dir() / "golden/text/moses.json"));
  CHECK(lines.size() == 24);
  for (const auto& line : lines) {
    const std::string text = line[1];
    CAPTURE(text);
    CHECK(join_words(WordTokenizer({.language = line[0]})(text)) == line[2].get<std::string>());
  }
}

TEST_CASE("word_tokenizer: the ends of a line, letters of their own, options") {
  const WordTokenizer english;
  CHECK(join_words(english("the dogs'")) == "the dogs '");
  CHECK(join_words(english("'tis 5'")) == "' tis 5 '");
  CHECK(join_words(english("漢字 e\u0301a \u0130")) ==
        "漢字 e\u0301a i\u0307");  // marks stay with their letters
  CHECK(english("").empty());
  CHECK(english(" \t\u00A0\u2003 ").empty());
  CHECK(join_words(english("a\x01"
                           "b\u2028c")) == "ab c");
  CHECK(join_words(WordTokenizer({.lower = false})("Dr. Smith met J. Doe vs. Bob. No. 5 said No. Then")) ==
        "Dr. Smith met J. Doe vs. Bob . No. 5 said No . Then");
  CHECK(join_words(WordTokenizer({.language = "de", .lower = false})("Am 3. Mai. Ende")) ==
        "Am 3. Mai . Ende");
  CHECK(join_words(WordTokenizer({.normalize = false})("“a” … b’s")) == "“ a ” … b ’ s");
  CHECK(join_words(WordTokenizer({.language = "xx"})("it's so")) == "it ' s so");
  CHECK(tests::error_of([&] { english("gr\xFCn"); }) ==
        "[word_tokenizer] the line: byte 0xFC at offset 2 is not UTF-8");
}

TEST_CASE("word_tokenizer: splitting at spaces, and joining") {
  CHECK(split_words("  a\tb  c\r\n") == Words{"a", "b", "c"});
  CHECK(split_words("").empty());
  CHECK(split_words(" ").empty());
  CHECK(split_words("a\u00A0b") == Words{"a\u00A0b"});
  CHECK(join_words(Words{"a", "b"}) == "a b");
  CHECK(join_words(Words{}) == "");
}
