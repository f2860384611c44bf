#include "fovea/models/text/vocabulary.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/errors.h"
#include "tests/scratch.h"

using namespace fovea;
using fovea::tests::contains;
using fovea::tests::error_of;
using Words = std::vector<std::string>;
using Ids = std::vector<std::int32_t>;

TEST_CASE("vocabulary: from counts, the frequent first") {
  TokenCounts counts;
  count_tokens(counts, Words{"b", "a", "c", "b", "ä", "a", "<s>", "d"});
  const Vocabulary all(counts);
  CHECK(all.tokens() == Words{"<pad>", "<unk>", "<s>", "</s>", "a", "b", "c", "d", "ä"});
  CHECK(all.ids(Words{"ä", "x", "<s>", "b"}) == Ids{8, 1, 2, 5});
  CHECK(all.tokens(Ids{5, 0}) == Words{"b", "<pad>"});
  CHECK(all.contains("d"));
  CHECK(!all.contains("x"));
  CHECK(all.unknown() == 1);

  CHECK(Vocabulary(counts, {.min_count = 2}).size() == 6);
  CHECK(Vocabulary(counts, {.max_size = 7}).tokens().back() == "c");
  CHECK(Vocabulary(counts, {.max_size = 4}).size() == 4);
  const Vocabulary strict(counts, {.specials = {}, .unknown = ""});
  CHECK(strict.size() == 6);
  CHECK(strict.unknown() == -1);
  CHECK(error_of([&] { strict.id("x"); }) == "[vocabulary] there is no 'x' among 6 tokens");
  CHECK(contains(error_of([&] { all.token(9); }), "there is no id 9 among 9 tokens"));
  CHECK(contains(error_of([&] { all.token(-1); }), "there is no id -1"));
  CHECK(contains(error_of([&] { Vocabulary(counts, {.max_size = 3}); }), "no room for 4 special tokens"));
  CHECK(contains(error_of([&] { Vocabulary(counts, {.specials = {"<pad>"}}); }), "'<unk>', is not there"));
}

TEST_CASE("vocabulary: tokens given must differ") {
  CHECK(contains(error_of([] { Vocabulary(Words{"a", "b", "a"}, ""); }), "tokens 0 and 2 are both 'a'"));
  CHECK(contains(error_of([] { Vocabulary(Words{"a", ""}, ""); }), "token 1 is empty"));
}

TEST_CASE("vocabulary: as a file") {
  const fovea::tests::Scratch folder("vocabulary");
  const auto file = folder.path / "words.txt";
  const Words odd = {"<unk>", "a b", "\\", "\n", "\r", "\\n", "käse", " "};
  Vocabulary(odd).save(file);
  CHECK(Vocabulary::load(file).tokens() == odd);

  const auto error = [&](const std::string& content) {
    folder.write("words.txt", content);
    return error_of([&] { Vocabulary::load(file); });
  };
  CHECK(error("<unk>\na") == "");  // a last line without an end
  CHECK(contains(error("<unk>\na\n\nb\n"), "words.txt: line 3 is empty"));
  CHECK(contains(error("<unk>\na\na\n"), "words.txt: line 3: 'a' stands in line 2 already"));
  CHECK(contains(error("<unk>\na\\t\n"), "line 2: 'a\\t' has a backslash before neither"));
  CHECK(contains(error("<unk>\na\\\n"), "has a backslash before neither"));
  CHECK(contains(error("<unk>\na\xFF\n"), "line 2: byte 0xFF at offset 1 is not UTF-8"));
  CHECK(contains(error("a\n"), "words.txt: has no '<unk>'"));
  CHECK(contains(error_of([&] { Vocabulary::load(folder.path / "none"); }), "none"));
}
