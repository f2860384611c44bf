#include "fovea/models/text/word_piece.h"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "fovea/models/text/word_piece_vocabulary.h"
#include "tests/errors.h"
#include "tests/scratch.h"
#include "tests/test_dir.h"

using namespace fovea;
using fovea::tests::contains;
using fovea::tests::error_of;
using nlohmann::json;
using Ids = std::vector<std::int32_t>;
using Words = std::vector<std::string>;

namespace {

std::filesystem::path golden(const char* name) { return tests::test_dir() / "golden/text" / name; }
const json& expected() {
  static const json file = json::parse(std::ifstream(golden("bert.json")));
  return file;
}

void check_ids(const WordPiece& tokenizer, const char* name) {
  const json& lines = expected()["lines"];
  CHECK(lines.size() > 180);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(i);
    CHECK(tokenizer.encode(lines[i].get<std::string>()).ids == expected()[name][i].get<Ids>());
  }
}

}  // namespace

TEST_CASE("word_piece: the ids of Hugging Face's tokenizers, from each kind of file") {
  check_ids(WordPiece::load(golden("bert")), "uncased");
  check_ids(WordPiece::load(golden("bert/vocab.txt")), "uncased");
  // Cased, words of at most 50 characters, [MASK] that takes spaces along, an added token that is a whole
  // word.
  check_ids(WordPiece::load(golden("bert/cased.json")), "cased");
}

TEST_CASE("word_piece: pairs, cut to a length") {
  const WordPiece tokenizer = WordPiece::load(golden("bert"));
  for (const auto& c : expected()["pairs"]) {
    const std::string a = expected()["lines"][c[0].get<std::size_t>()];
    const auto most = c[2].get<std::size_t>();
    CAPTURE(c[0].get<int>());
    CAPTURE(c[1].get<int>());
    CAPTURE(most);
    if (c[1].get<int>() < 0) {
      const BertInput input = tokenizer.encode(a, most);
      CHECK(input.ids == c[3].get<Ids>());
      CHECK(input.segments == Ids(input.ids.size(), 0));
    } else {
      const BertInput input =
          tokenizer.encode(a, expected()["lines"][c[1].get<std::size_t>()].get<std::string>(), most);
      CHECK(input.ids == c[3].get<Ids>());
      CHECK(input.segments == c[4].get<Ids>());
    }
  }
  CHECK(contains(error_of([&] { tokenizer.encode("a", 1); }), "in 1 ids there is no room"));
  CHECK(contains(error_of([&] { tokenizer.encode("a", "b", 2); }), "in 2 ids there is no room"));
}

TEST_CASE("word_piece: tokens, and back to a text") {
  const WordPiece tokenizer = WordPiece::load(golden("bert"));
  for (std::size_t i = 0; i < 2; ++i)
    CHECK(tokenizer.decode(expected()["uncased"][3 + i].get<Ids>()) ==
          expected()["decoded"][i].get<std::string>());
  CHECK(tokenizer.token(tokenizer.id("[MASK]")) == "[MASK]");
  CHECK(tokenizer.ids("[MASK]") == Ids{tokenizer.id("[MASK]")});
  CHECK(tokenizer.ids("").empty());
  CHECK(contains(error_of([&] { tokenizer.id("nothing"); }), "has no 'nothing'"));
  CHECK(contains(error_of([&] { tokenizer.token(100000); }), "there is no id 100000"));
  CHECK(error_of([&] { tokenizer.ids("a\xC3z"); }) ==
        "[word_piece] the text: byte 0xC3 at offset 1 is not UTF-8");
}

TEST_CASE("word_piece: the words of the basic tokenizer") {
  CHECK(bert_words("Don't STOP—now,漢字 e\u0301") ==
        Words{"don", "'", "t", "stop", "—", "now", ",", "漢", "字", "e"});
  CHECK(bert_words("Café", {.strip_accents = false, .lower = false}) == Words{"Café"});
  CHECK(bert_words("CAFÉ", {.strip_accents = false}) == Words{"café"});
  CHECK(bert_words("漢字", {.split_chinese = false}) == Words{"漢字"});
  CHECK(bert_words("a\u200Bb", {.clean = false}) == Words{"a\u200Bb"});
  CHECK(bert_words("a\u200Bb") == Words{"ab"});
}

TEST_CASE("word_piece: files that are none") {
  const tests::Scratch folder("word_piece");
  const auto error = [&](const std::string& name, const std::string& text) {
    const auto path = folder.write(name, text);
    return error_of([&] { WordPiece::load(path); });
  };
  const auto changed = [&](const char* pointer, const json& value) {
    json file = json::parse(std::ifstream(golden("bert/tokenizer.json")));
    file[json::json_pointer(pointer)] = value;
    return error("tokenizer.json", file.dump());
  };
  CHECK(changed("/version", "1.0") == "");

  CHECK(contains(error_of([&] { WordPiece::load(folder.path / "none"); }), "none"));
  CHECK(contains(error_of([&] { WordPiece::load(tests::test_dir()); }),
                 "has neither tokenizer.json nor vocab.txt"));
  CHECK(
      contains(error("vocab.txt", "[UNK]\n[CLS]\n"), "vocab.txt: the vocabulary of 2 tokens has no '[SEP]'"));
  CHECK(
      contains(error("vocab.txt", "[UNK]\n[CLS]\n[SEP]\na\na\n"), "vocab.txt: tokens 3 and 4 are both 'a'"));
  CHECK(contains(error("tokenizer.json", R"({"version": 1e999})"), "json: has a number that is too large"));
  CHECK(contains(error("vocab.txt", "[UNK]\n\n[SEP]\n"), "vocab.txt: line 2 is empty"));
  CHECK(contains(error("vocab.txt", "[UNK]\n\xFF\n"), "vocab.txt: line 2: byte 0xFF"));
  CHECK(error("vocab.txt", "[UNK]\r\n[CLS]\r\n[SEP]\r\n") == "");

  CHECK(contains(error("tokenizer.json", "{\"model\": {]"), "tokenizer.json: no JSON at offset 11"));
  CHECK(contains(error("tokenizer.json", "{\"model\": {\"a\xFF\": 1}}"), "no JSON at offset 13"));
  CHECK(contains(error("tokenizer.json", ""), "no JSON at offset 0"));
  CHECK(contains(error("tokenizer.json", std::string(200000, '[')), "no JSON at offset 200000"));
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  CHECK(contains(error("tokenizer.json", deep), "the file is no object"));
  CHECK(contains(error("tokenizer.json", "[]"), "the file is no object"));
  CHECK(contains(error("tokenizer.json", "{}"), "the file has no model"));
  CHECK(contains(changed("/model/type", "Unigram"), "model is of type 'Unigram'"));
  CHECK(contains(changed("/model/vocab", json::array()), "model.vocab is no object"));
  CHECK(contains(changed("/model/vocab", json::object()), "model.vocab is empty"));
  CHECK(contains(changed("/model/vocab/the", -1), "model.vocab gives 'the' the id '-1'"));
  CHECK(contains(changed("/model/vocab/the", 1.5), "the id '1.5'"));
  CHECK(contains(changed("/model/vocab/the", 99999999999), "the id '99999999999'"));
  CHECK(contains(changed("/model/vocab/the", 18446744073709551615u), "the id '18446744073709551615'"));
  CHECK(contains(changed("/model/vocab/the", 1 << 20), "the id '1048576', not 0 to"));
  CHECK(contains(changed("/model/vocab/the", 0), "model.vocab gives id 0 to"));
  CHECK(contains(changed("/model/vocab/", 9999), "model.vocab has an empty token"));
  CHECK(contains(changed("/model/unk_token", 3), "model.unk_token is no string"));
  CHECK(contains(changed("/model/unk_token", "<unk>"), "has no '<unk>'"));
  CHECK(contains(changed("/model/max_input_chars_per_word", -5), "max_input_chars_per_word is -5, not 0 to"));
  CHECK(contains(changed("/normalizer", nullptr), "the file has no normalizer"));
  CHECK(contains(changed("/normalizer/type", "NFC"), "normalizer is of type 'NFC'"));
  CHECK(contains(changed("/normalizer/lowercase", 1), "normalizer.lowercase is neither true nor false"));
  CHECK(contains(changed("/pre_tokenizer/type", "Whitespace"), "pre_tokenizer is of type"));
  CHECK(contains(changed("/post_processor/type", "RobertaProcessing"), "post_processor is of type"));
  const json old = {{"type", "BertProcessing"}, {"sep", {"[SEP]", 3}}, {"cls", {"[CLS]", 2}}};
  CHECK(changed("/post_processor", old) == "");
  CHECK(contains(changed("/post_processor", {{"type", "BertProcessing"}, {"cls", json::array()}}),
                 "post_processor.cls has no item 0"));
  CHECK(contains(changed("/post_processor", {{"type", "BertProcessing"}, {"cls", 3}}),
                 "post_processor.cls is no list"));
  CHECK(contains(changed("/post_processor/single", json::array()),
                 "post_processor.single is not a token, a text"));
  CHECK(contains(changed("/added_tokens", 1), "added_tokens is no list"));
  CHECK(contains(changed("/added_tokens/1/content", ""), "added_tokens[1] has an empty content"));
  CHECK(contains(changed("/added_tokens/1/content", "[SEP]"),
                 "added_tokens[1] gives id 1 to '[UNK]' and to '[SEP]'"));
  CHECK(contains(changed("/added_tokens/1/id", 1 << 25), "added_tokens[1].id is 33554432, not 0 to"));
  CHECK(contains(changed("/added_tokens/1/normalized", true),
                 "added_tokens[1] is to be found in the normalized text"));
  CHECK(contains(changed("/added_tokens/1", json::object()), "added_tokens[1] has no content"));
}

TEST_CASE("word_piece: a vocabulary that is learned, on the words of Sennrich et al.") {
  const TokenCounts words{{"low", 5}, {"lower", 2}, {"newest", 6}, {"widest", 3}};
  // By hand: s t 9, e st 9, l o 7, lo w 7, n e 6, ne w 6, new est 6, w i 3, wi d 3, wid est 3, low e 2, lowe
  // r 2.
  const Words characters{"##d", "##e", "##i", "##o", "##r", "##s", "##t", "##w", "l", "n", "w"},
      pieces{"##st", "##est", "lo", "low", "ne", "new", "newest", "wi", "wid", "widest", "lowe", "lower"};
  Words all = bert_specials();
  all.insert(all.end(), characters.begin(), characters.end());
  CHECK(learn_word_pieces(words, {.size = 3}) == all);
  CHECK(learn_word_pieces(words, {.size = 16}) == all);
  all.insert(all.end(), pieces.begin(), pieces.end());
  CHECK(learn_word_pieces(words) == all);
  CHECK(learn_word_pieces(words, {.size = 20}) == Words(all.begin(), all.begin() + 20));
  CHECK(learn_word_pieces(words, {.min_count = 9}) == Words(all.begin(), all.begin() + 18));
  CHECK(learn_word_pieces({}) == bert_specials());
  CHECK(contains(error_of([] { learn_word_pieces({{"\xff", 1}}); }), "0xFF at offset 0"));

  const tests::Scratch folder("word_piece");
  save_word_pieces(folder.path / "vocab.txt", all);
  for (const WordPiece& tokenizer : {WordPiece(word_piece_of(all)), WordPiece::load(folder.path)}) {
    CHECK(tokenizer.tokens() == all);
    Words got;
    for (const std::int32_t id : tokenizer.ids("The lowest Newer [MASK]")) got.push_back(tokenizer.token(id));
    CHECK(got == Words{"[UNK]", "lowe", "##st", "new", "##e", "##r", "[MASK]"});
  }
}
