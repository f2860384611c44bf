#include "fovea/models/data/copies.h"

#include <map>
#include <sstream>

#include "tests/rows.h"

namespace fovea::tests {

TEST_CASE("copies: ten symbols, each as likely, to be written again") {
  const ParallelText text = copies(500, Generator(3));
  CHECK(text.source == text.target);
  std::map<std::string, int> count;
  for (const std::string& line : text.source) {
    std::istringstream words(line);
    int n = 0;
    for (std::string word; words >> word; ++n) ++count[word];
    CHECK(n == 10);
  }
  CHECK(count.size() == 10);
  for (int symbol = 1; symbol <= 10; ++symbol) CHECK(count[std::to_string(symbol)] > 400);
}

TEST_CASE("copies: a pair depends on the generator and its number alone") {
  const ParallelText some = copies(5, Generator(3)), more = copies(9, Generator(3)),
                     others = copies(5, Generator(4));
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(some.source[i] == more.source[i]);
    CHECK(some.source[i] != others.source[i]);
  }
  CHECK(copies(1, Generator(3), {.symbols = 1, .length = 3}).source[0] == "1 1 1");
  CHECK(copies(0, Generator(3)).size() == 0);
  check_throws([] { copies(1, Generator(3), {.symbols = 0}); }, {"[copies]", "symbols is 0"});
  check_throws([] { copies(1, Generator(3), {.length = 0}); }, {"length 0"});
}

}  // namespace fovea::tests
