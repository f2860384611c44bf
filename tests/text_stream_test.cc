#include "fovea/models/data/text_stream.h"

#include <doctest/doctest.h>

#include <numeric>

#include "tests/errors.h"

using namespace fovea;
using fovea::tests::contains;
using fovea::tests::error_of;

namespace {

std::vector<std::int32_t> counting(std::size_t n) {
  std::vector<std::int32_t> ids(n);
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

}  // namespace

TEST_CASE("text_stream: windows anywhere, y one later") {
  TextStream stream(counting(20), {.batch_size = 8, .length = 5}, Generator(2));
  std::vector<int> starts(20);
  for (int i = 0; i < 100; ++i) {
    const TextWindows w = stream.next();
    CHECK(w.x.shape() == Shape{8, 5});
    CHECK(w.x.dtype() == DType::i32);
    for (Index row = 0; row < 8; ++row) {
      ++starts[static_cast<std::size_t>(w.x.at({row, 0}))];
      for (Index t = 0; t < 5; ++t) {
        CHECK(w.x.at({row, t}) == w.x.at({row, 0}) + static_cast<double>(t));
        CHECK(w.y.at({row, t}) == w.x.at({row, t}) + 1);
      }
    }
  }
  for (std::size_t s = 0; s < 20; ++s) CHECK((s < 15 ? starts[s] > 20 : starts[s] == 0));

  const Generator::State state = stream.state();
  const TextWindows next = stream.next();
  TextStream other(counting(20), {.batch_size = 8, .length = 5}, Generator(9));
  other.set_state(state);
  const TextWindows same = other.next();
  for (Index row = 0; row < 8; ++row) CHECK(same.x.at({row, 0}) == next.x.at({row, 0}));
}

TEST_CASE("text_stream: windows end to end") {
  const TextStream stream(counting(21), {.length = 5}, Generator(2));
  CHECK(stream.windows() == 4);
  CHECK(TextStream(counting(20), {.length = 5}, Generator(2)).windows() == 3);
  const TextWindows w = stream.consecutive(2, 2);
  CHECK(w.x.shape() == Shape{2, 5});
  CHECK(w.x.at({0, 0}) == 10);
  CHECK(w.y.at({1, 4}) == 20);
  CHECK(stream.consecutive(4, 0).x.shape() == Shape{0, 5});
  CHECK(contains(error_of([&] { stream.consecutive(3, 2); }), "windows 3 to 4 are not all among 4"));
}

TEST_CASE("text_stream: too short a text, and cutting one") {
  CHECK(
      contains(error_of([] { TextStream(counting(5), {.length = 5}, Generator(1)); }), "a text of 5 tokens"));
  CHECK(TextStream(counting(6), {.length = 5}, Generator(1)).next().x.at({3, 0}) == 0);
  CHECK(contains(error_of([] { TextStream({1, -1, 2}, {.length = 1}, Generator(1)); }), "token 1 is -1"));
  CHECK(contains(error_of([] { TextStream(counting(5), {.length = 0}, Generator(1)); }), "is none"));
  const auto [train, rest] = cut_text(counting(10));
  CHECK(train.size() == 9);
  CHECK(rest == std::vector<std::int32_t>{9});
  CHECK(contains(error_of([] { cut_text(counting(1)); }), "1 tokens cannot be cut at 0.9"));
}
