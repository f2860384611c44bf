#include "fovea/models/text/bpe.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "fovea/models/text/word_tokenizer.h"
#include "tests/errors.h"
#include "tests/scratch.h"
#include "tests/test_dir.h"

using namespace fovea;
using fovea::tests::contains;
using fovea::tests::error_of;
using Words = std::vector<std::string>;

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
std::string golden(const char* name) { return content(tests::test_dir() / "golden/text" / name); }

}  // namespace

TEST_CASE("bpe: learns and applies the codes of subword-nmt") {
  const std::string text = golden("bpe_words.txt");
  TokenCounts counts;
  count_tokens(counts, split_words(text));
  const Bpe bpe = Bpe::learn(counts, {.merges = 400});
  CHECK(bpe.merges().size() == 400);
  const tests::Scratch folder("bpe");
  bpe.save(folder.path / "codes");
  CHECK(content(folder.path / "codes") == golden("bpe_codes.txt"));

  const Bpe loaded = Bpe::load(folder.path / "codes");
  CHECK(loaded.merges() == bpe.merges());
  std::istringstream in(text);
  std::string pieces;
  for (std::string line; std::getline(in, line);) {
    const Words words = split_words(line), split = loaded.split(words);
    CHECK(Bpe::join(split) == words);
    pieces += join_words(split) + '\n';
  }
  CHECK(pieces == golden("bpe_pieces.txt"));
}

TEST_CASE("bpe: the order of merges, and where it ends") {
  // ab 3 times, bc 3 times: the greater pair first; then b stands alone, and a b is rarer.
  const Bpe bpe = Bpe::learn({{"ab", 1}, {"abx", 2}, {"bcx", 3}}, {.merges = 100, .min_count = 3});
  CHECK(bpe.merges() == std::vector<Bpe::Pair>{{"c", "x</w>"}, {"b", "cx</w>"}});
  CHECK(bpe.split(Words{"bcx", "bc", ""}) == Words{"bcx", "b@@", "c"});
  CHECK(Bpe::learn({}, {}).merges().empty());
  // Of a a a the first two are merged.
  CHECK(Bpe(std::vector<Bpe::Pair>{{"a", "a"}}).split(Words{"aaab"}) == Words{"aa@@", "a@@", "b"});
  // A pair counts from its first place; all of a pair are merged before another has its turn.
  const Bpe again(std::vector<Bpe::Pair>{{"b", "c"}, {"a", "bc"}, {"b", "c"}, {"abc", "a"}});
  CHECK(again.split(Words{"abcabcx"}) == Words{"abc@@", "abc@@", "x"});
  CHECK(Bpe::join(Words{"a@@", "b", "c", "d@@"}) == Words{"ab", "c", "d"});
}

TEST_CASE("bpe: files and words that are none") {
  const tests::Scratch folder("bpe");
  const auto error = [&](const std::string& text) {
    return error_of([&] { Bpe::load(folder.write("codes", text)); });
  };
  CHECK(error("#version: 0.2\n") == "");
  CHECK(contains(error(""), "codes: line 1 is not '#version: 0.2'"));
  CHECK(contains(error("a b\n"), "codes: line 1 is 'a b', not"));
  CHECK(contains(error("#version: 0.2\na b\nabc\n"), "codes: line 3: 'abc' is not a pair of symbols"));
  CHECK(contains(error("#version: 0.2\na b c\n"), "line 2"));
  CHECK(contains(error("#version: 0.2\na \xFF\n"), "line 2: byte 0xFF at offset 2"));
  CHECK(contains(error_of([] { Bpe::learn({{"a b", 1}}); }), "holds a space"));
  CHECK(contains(error_of([] { Bpe::learn({{"\xFF", 1}}); }), "not UTF-8"));
  CHECK(contains(error_of([] { Bpe(std::vector<Bpe::Pair>()).split(Words{"\xFF"}); }), "not UTF-8"));
}
