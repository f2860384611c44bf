#include "fovea/models/text/characters.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

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

TEST_CASE("characters: as a tokenizer of Hugging Face's layout") {
  const tests::Scratch folder("characters-tokenizer");
  const Characters characters("a\\\n \"ä漢");
  characters.save_tokenizer(folder.path);
  const std::optional<Characters> read = Characters::load_tokenizer(folder.path);
  REQUIRE(read);
  CHECK(read->vocabulary().tokens() == characters.vocabulary().tokens());
  CHECK(std::filesystem::exists(folder.path / "tokenizer_config.json"));
  std::string file;
  std::getline(std::ifstream(folder.path / "tokenizer.json"), file, '\0');
  bool taken = true;
  const auto with = [&](const std::string& from, const std::string& to) {
    REQUIRE(file.find(from) != file.npos);
    folder.write("tokenizer.json", std::string(file).replace(file.find(from), from.size(), to));
    return error_of([&] { taken = Characters::load_tokenizer(folder.path).has_value(); });
  };
  CHECK(with("WordLevel", "BPE") == "");
  CHECK(!taken);
  CHECK(contains(with(R"([\\s\\S])", R"(\\w+)"), "tokenizer.json: pre_tokenizer does not split a text into"));
  CHECK(contains(with("Isolated", "Removed"), "pre_tokenizer does not split"));
  CHECK(contains(with(R"("decoder":{"type":"Fuse"})", R"("decoder":null)"), "the file has no decoder"));
  CHECK(contains(with(R"("a":)", R"("ab":)"), "gives id 4 to 'ab', which is not one character"));
  CHECK(contains(with(R"("a":4)", R"("a":9)"), "gives id 4 to '', which is not one character"));
  CHECK(contains(with(R"("added_tokens":[])", R"("added_tokens":[{}])"), "added_tokens are there"));
  std::filesystem::remove(folder.path / "tokenizer.json");
  CHECK(contains(error_of([&] { Characters::load_tokenizer(folder.path); }), "neither tokenizer.json nor"));
  folder.write("vocab.json", "{}");
  CHECK(!Characters::load_tokenizer(folder.path));
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
