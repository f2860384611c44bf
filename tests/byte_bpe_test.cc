#include "fovea/models/text/byte_bpe.h"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "fovea/core/generator.h"
#include "tests/errors.h"
#include "tests/scratch.h"
#include "tests/test_dir.h"

using namespace fovea;
using fovea::tests::contains;
using fovea::tests::error_of;
using nlohmann::json;
using Ids = std::vector<std::int32_t>;
using Words = std::vector<std::string_view>;

namespace {

std::filesystem::path golden(const char* name) { return tests::test_dir() / "golden/text" / name; }
json read(const char* name) { return json::parse(std::ifstream(golden(name))); }

}  // namespace

TEST_CASE("byte_bpe: the words of GPT-2's pattern") {
  CHECK(gpt2_words("I'll say it's  fine!!  ") ==
        Words{"I", "'ll", " say", " it", "'s", " ", " fine", "!!", "  "});
  CHECK(gpt2_words("a\n\n b 12ab ½x \u00A0\u00A0y") ==
        Words{"a", "\n\n", " b", " 12", "ab", " ½", "x", " \u00A0", "\u00A0", "y"});
  CHECK(gpt2_words("'S 's 'lll") == Words{"'", "S", " '", "s", " '", "lll"});
  CHECK(gpt2_words("").empty());
  CHECK(contains(error_of([] { gpt2_words("ab\x80"); }), "byte 0x80 at offset 2"));
}

TEST_CASE("byte_bpe: the ids of Hugging Face's tokenizers, and the text again") {
  const json lines = read("bert.json")["lines"], ids = read("gpt2.json");
  const ByteBpe plain = ByteBpe::load(golden("gpt2"));
  const ByteBpe spaced = ByteBpe::load(golden("gpt2/spaced.json"));
  CHECK(plain.added("<|endoftext|>") >= 0);
  CHECK(plain.added("[MASK]") == -1);
  CHECK(spaced.added("[MASK]") == static_cast<std::int32_t>(spaced.size()) - 1);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(i);
    const std::string line = lines[i];
    CHECK(plain.encode(line) == ids["plain"][i].get<Ids>());
    CHECK(spaced.encode(line) == ids["spaced"][i].get<Ids>());
    CHECK(plain.decode(plain.encode(line)) == line);
  }
  CHECK(contains(error_of([&] { plain.encode("a\xFF"); }), "byte 0xFF at offset 1"));
  CHECK(contains(error_of([&] { plain.decode(Ids{-1}); }), "there is no id -1"));
  CHECK(contains(error_of([&] { plain.decode(Ids{1 << 20}); }), "there is no id"));
}

TEST_CASE("byte_bpe: a word of any length takes time in proportion") {
  const ByteBpe bpe = ByteBpe::load(golden("gpt2"));
  std::string word;
  Generator random(1);
  for (int i = 0; i < 300'000; ++i) word += static_cast<char>('a' + random.below(26));
  CHECK(bpe.decode(bpe.encode(word)) == word);
  const std::string same(300'000, 'e');
  CHECK(bpe.decode(bpe.encode(same)) == same);
}

TEST_CASE("byte_bpe: files that are none") {
  const tests::Scratch folder("byte_bpe");
  const auto changed = [&](const char* pointer, const json& value) {
    json file = read("gpt2/spaced.json");
    file[json::json_pointer(pointer)] = value;
    const auto path = folder.write("tokenizer.json", file.dump());
    return error_of([&] { ByteBpe::load(path); });
  };
  CHECK(changed("/version", "1.0") == "");
  CHECK(changed("/model/merges/0", json::array({"i", "n"})) == "");
  CHECK(contains(changed("/model/merges/0", "in"), "model.merges[0] is 'in', no pair"));
  CHECK(contains(changed("/model/merges/0", "i n g"), "model.merges[0] is 'i n g', no pair"));
  CHECK(contains(changed("/model/merges/0", json::array({"i"})), "model.merges[0] is no pair"));
  CHECK(contains(changed("/model/merges/0", 7), "model.merges[0] is no string"));
  CHECK(contains(changed("/model/merges/0", "q q"), "merge 0, 'q' and 'q': 'qq' is not in the vocabulary"));
  CHECK(contains(changed("/model/vocab/漢", 1), "model.vocab gives id 1"));
  CHECK(contains(changed("/model/vocab/漢", 1000), "token 1000, '漢', has a letter that stands for no byte"));
  CHECK(contains(changed("/model/byte_fallback", true), "model.byte_fallback is 'true'"));
  CHECK(contains(changed("/model/end_of_word_suffix", "</w>"), "model.end_of_word_suffix is '\"</w>\"'"));
  CHECK(contains(changed("/normalizer", {{"type", "NFC"}}), "normalizer is of type 'NFC'"));
  CHECK(contains(changed("/pre_tokenizer/use_regex", false), "pre_tokenizer does not use GPT-2's pattern"));
  CHECK(contains(changed("/pre_tokenizer", {{"type", "Split"}}), "pre_tokenizer is of type 'Split'"));
  CHECK(contains(changed("/added_tokens/0/content", "the"), "added_tokens[0] gives id"));

  json vocabulary = read("gpt2/vocab.json");
  const auto error = [&](const json& file, const std::string& merges) {
    const auto path = folder.write("gpt2/vocab.json", file.dump());
    folder.write("gpt2/merges.txt", merges);
    return error_of([&] { ByteBpe::load(path.parent_path()); });
  };
  CHECK(error(vocabulary, "#version: 0.2\nt h\n") == "");
  CHECK(error(vocabulary, "") == "");
  CHECK(contains(error(vocabulary, "#version: 0.2\nt h\nth\n"), "merges.txt: line 3: 'th' is no pair"));
  CHECK(contains(error(vocabulary, "t \xFF\n"), "merges.txt: line 1: byte 0xFF"));
  CHECK(contains(error(vocabulary, "z z\n"), "merge 0, 'z' and 'z'"));
  vocabulary.erase("Ġ");
  CHECK(contains(error(vocabulary, ""), "the vocabulary has no token for the byte 32"));
  CHECK(contains(error(json::array(), ""), "vocab.json: the file is no object"));
  error(read("gpt2/vocab.json"), "");
  std::filesystem::remove(folder.path / "gpt2/merges.txt");
  CHECK(contains(error_of([&] { ByteBpe::load(folder.path / "gpt2"); }), "merges.txt"));
}
