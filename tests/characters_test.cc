#include "fovea/models/text/characters.h"

#include <doctest/doctest.h>

#include "fovea/models/data/texts.h"
#include "tests/errors.h"
#include "tests/scratch.h"

using namespace fovea;
using fovea::tests::contains;
using fovea::tests::error_of;
using Ids = std::vector<std::int32_t>;

TEST_CASE("characters: sorted, there and back") {
  const Characters characters("hällo\n wörld\\\r");
  CHECK(characters.vocabulary().tokens() ==
        std::vector<std::string>{"\n", "\r", " ", "\\", "d", "h", "l", "o", "r", "w", "ä", "ö"});
  CHECK(characters.encode("äh\n") == Ids{10, 5, 0});
  CHECK(characters.decode(Ids{9, 11, 8, 6, 4}) == "wörld");
  CHECK(characters.encode("").empty());
  CHECK(error_of([&] { characters.encode("wörldx"); }) ==
        "[characters] 'x' at offset 6 is none of the 12 characters");
  CHECK(contains(error_of([&] { characters.encode("w\xF6"); }), "not UTF-8"));
  CHECK(contains(error_of([] { Characters("a\xF6"); }), "byte 0xF6 at offset 1"));
  CHECK(contains(error_of([&] { characters.decode(Ids{12}); }), "there is no id 12"));
  const std::string novel = sample_text();
  const Characters all(novel);
  CHECK(all.size() == 73);
  CHECK(all.decode(all.encode(novel)) == novel);
}

TEST_CASE("characters: as a file") {
  const tests::Scratch folder("characters");
  const Characters characters("a\\\n b\r");
  characters.save(folder.path / "characters.txt");
  CHECK(Characters::load(folder.path / "characters.txt").vocabulary().tokens() ==
        characters.vocabulary().tokens());
  const auto path = folder.write("bad", "a\nbc\n");
  CHECK(contains(error_of([&] { Characters::load(path); }), "token 1, 'bc', is more than one character"));
}
