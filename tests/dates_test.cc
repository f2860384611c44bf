#include "fovea/models/data/dates.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

using namespace fovea;

TEST_CASE("dates: figures and words" * doctest::test_suite("long")) {
  const ParallelText text = dates(20000, Split::train, Generator(4));
  CHECK(text.size() == 20000);
  std::map<std::string, std::string> known;
  std::set<std::string> words;
  for (std::size_t i = 0; i < text.size(); ++i) {
    known[text.source[i]] = text.target[i];
    for (std::size_t at = 0, end; at < text.target[i].size(); at = end + 1) {
      end = std::min(text.target[i].find(' ', at), text.target[i].size());
      words.insert(text.target[i].substr(at, end - at));
    }
  }
  CHECK(words.size() == 147);
  const std::pair<const char*, const char*> some[] = {
      {"1 9 8 4 - 0 3 - 2 1", "march the twenty-first , nineteen eighty-four"},
      {"0 7 / 0 4 / 1 9 0 6", "july the fourth , nineteen oh six"},
      {"1 2 . 1 1 . 2 0 0 0", "november the twelfth , two thousand"},
  };
  // Not every date is there; these are asked for in larger sets until they are.
  for (const auto& [figures, expected] : some) {
    CAPTURE(figures);
    std::string got;
    for (std::uint64_t seed = 0; got.empty() && seed < 40; ++seed)
      for (const Split split : {Split::train, Split::validation, Split::test}) {
        const ParallelText more = dates(20000, split, Generator(seed));
        for (std::size_t i = 0; i < more.size(); ++i)
          if (more.source[i] == figures) got = more.target[i];
      }
    CHECK(got == expected);
  }
}

TEST_CASE("dates: a pair depends on its number alone, a day is in one split") {
  const ParallelText few = dates(10, Split::test, Generator(4)),
                     many = dates(1000, Split::test, Generator(4));
  for (std::size_t i = 0; i < few.size(); ++i) {
    CHECK(few.source[i] == many.source[i]);
    CHECK(few.target[i] == many.target[i]);
  }
  std::map<std::string, Split> split_of;
  for (const Split split : {Split::train, Split::validation, Split::test})
    for (const std::string& words : dates(5000, split, Generator(1)).target)
      CHECK(split_of.try_emplace(words, split).first->second == split);
  CHECK(dates(0, Split::train, Generator(1)).size() == 0);
}
