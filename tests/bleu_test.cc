#include "fovea/models/text/bleu.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fovea/models/text/word_tokenizer.h"
#include "tests/errors.h"
#include "tests/test_dir.h"

using namespace fovea;
using Words = std::vector<std::string>;

TEST_CASE("bleu: as sacrebleu has it, with one reference and with several") {
  const auto cases = nlohmann::json::parse(std::ifstream(tests::test_dir() / "golden/text/bleu.json"));
  CHECK(cases.size() == 6);
  for (const auto& c : cases) {
    Bleu bleu;
    for (std::size_t i = 0; i < c["candidates"].size(); ++i) {
      const Words candidate = split_words(c["candidates"][i].get<std::string>());
      std::vector<Words> references;
      for (const auto& r : c["references"]) references.push_back(split_words(r[i].get<std::string>()));
      if (references.size() == 1)
        bleu.add(candidate, references[0]);
      else
        bleu.add(candidate, references);
    }
    CHECK(std::abs(bleu.score() - c["score"].get<double>()) < 1e-9);
    for (int n = 1; n <= 4; ++n)
      CHECK(std::abs(bleu.precision(n) - c["precisions"][static_cast<std::size_t>(n - 1)].get<double>()) <
            1e-9);
    CHECK(std::abs(bleu.brevity_penalty() - c["brevity_penalty"].get<double>()) < 1e-12);
    CHECK(bleu.candidate_length() == c["candidate_length"]);
    CHECK(bleu.reference_length() == c["reference_length"]);
  }
}

TEST_CASE("bleu: by hand") {
  Bleu bleu;
  CHECK(bleu.score() == 0);
  CHECK(bleu.brevity_penalty() == 0);
  CHECK(bleu.text() == "BLEU = 0.00, 0.0/0.0/0.0/0.0 (BP=0.000, ratio=0.000, hyp_len=0, ref_len=0)");
  // Papineni's example: seven times "the" counts twice, as often as the reference has it.
  bleu.add(split_words("the the the the the the the"), split_words("the cat is on the mat"));
  CHECK(bleu.precision(1) == doctest::Approx(200.0 / 7));
  CHECK(bleu.precision(2) == 0);
  CHECK(bleu.score() == 0);
  CHECK(bleu.brevity_penalty() == 1);

  Bleu short_one;
  short_one.add(split_words("a b c d"), split_words("a b c d e f g h"));
  CHECK(short_one.text() ==
        "BLEU = 36.79, 100.0/100.0/100.0/100.0 (BP=0.368, ratio=0.500, hyp_len=4, ref_len=8)");
  // Of two references equally near the shorter one gives the length.
  Bleu two;
  two.add(split_words("a b c"), std::vector<Words>{split_words("a b c d"), split_words("a b")});
  CHECK(two.reference_length() == 2);

  CHECK(tests::contains(tests::error_of([&] { two.precision(5); }), "not of 5"));
  CHECK(
      tests::contains(tests::error_of([&] { two.add(Words{}, std::vector<Words>{}); }), "needs a reference"));
}
