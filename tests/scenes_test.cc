#include "fovea/models/data/scenes.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "fovea/models/data/digits.h"

namespace {

using namespace fovea;

std::string bytes_of(const LabelledImages& all, Index n) {
  const LabelledImages one = part(all, n, 1);
  return {static_cast<const char*>(one.images.raw()), one.images.bytes()};
}

/// Pictures of nothing but ink of a brightness of its own: 10, 20, ...; picture n is of class n.
LabelledImages blocks(Index count, Index side) {
  LabelledImages out{Tensor::empty({count, 1, side, side}, DType::u8), Tensor::empty({count}, DType::i32)};
  for (Index i = 0; i < out.images.numel(); ++i)
    out.images.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(10 * (i / side / side + 1));
  for (Index i = 0; i < count; ++i) out.labels.mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(i);
  return out;
}

Index pixels_of(const std::string& picture, unsigned char brightness) {
  return std::count(picture.begin(), picture.end(), static_cast<char>(brightness));
}

}  // namespace

TEST_CASE("scenes: each depends on seed and number alone") {
  const LabelledImages digits = draw_digits(9, Generator(1));
  const auto makers = {+[](const LabelledImages& d, std::span<const Index> i, const Generator& g) {
                         return cluttered(d, i, {}, g);
                       },
                       +[](const LabelledImages& d, std::span<const Index> i, const Generator& g) {
                         return two_digits(d, i, g);
                       },
                       +[](const LabelledImages& d, std::span<const Index> i, const Generator& g) {
                         return digit_sums(d, i, g);
                       }};
  for (const auto& make : makers) {
    const LabelledImages all = make(digits, every_index(9), Generator(4));
    const LabelledImages some = make(digits, std::vector<Index>{8, 0}, Generator(4));
    CHECK(bytes_of(some, 0) == bytes_of(all, 8));
    CHECK(bytes_of(some, 1) == bytes_of(all, 0));
    CHECK(bytes_of(make(digits, every_index(9), Generator(4, 1)), 0) != bytes_of(all, 0));
    CHECK(make(digits, {}, Generator(4)).size() == 0);
    CHECK_THROWS_AS(make(digits, std::vector<Index>{9}, Generator(4)), Error);
  }
}

TEST_CASE("scenes: clutter is pieces of others") {
  const LabelledImages from = blocks(5, 28);
  const LabelledImages alone = cluttered(from, every_index(5), {.size = 60, .pieces = 0}, Generator(1));
  CHECK(alone.images.shape() == Shape{5, 1, 60, 60});
  for (Index n = 0; n < 5; ++n) {
    const auto own = static_cast<unsigned char>(10 * (n + 1));
    CHECK(alone.labels.at({n}) == static_cast<double>(n));
    CHECK(pixels_of(bytes_of(alone, n), own) == 28 * 28);
    CHECK(pixels_of(bytes_of(alone, n), 0) == 60 * 60 - 28 * 28);
    // Far more room than a piece may need: it lies apart from the digit, and is none of it.
    std::set<unsigned char> seen;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      const std::vector<Index> one = {n};
      const std::string scene =
          bytes_of(cluttered(from, one, {.size = 300, .pieces = 1, .piece_size = 8}, Generator(seed)), 0);
      if (pixels_of(scene, own) != 28 * 28) continue;
      for (unsigned char other = 10; other <= 50; other = static_cast<unsigned char>(other + 10))
        if (other != own && pixels_of(scene, other) == 64) seen.insert(other);
      CHECK(pixels_of(scene, 0) == 300 * 300 - 28 * 28 - 64);
    }
    CHECK(seen.size() == 4);
  }
}

TEST_CASE("scenes: ink upon ink is white at most") {
  const LabelledImages from = blocks(25, 6);
  const std::vector<Index> last = {24};
  const LabelledImages crowded =
      cluttered(from, last, {.size = 6, .pieces = 30, .piece_size = 6}, Generator(1));
  CHECK(pixels_of(bytes_of(crowded, 0), 255) == 36);
}

TEST_CASE("scenes: two digits and both labels") {
  const LabelledImages scenes = two_digits(blocks(5, 28), every_index(5), Generator(2), 400);
  CHECK(scenes.labels.shape() == Shape{5, 2});
  for (Index n = 0; n < 5; ++n) {
    CHECK(scenes.labels.at({n, 0}) == static_cast<double>(n));
    const auto other = static_cast<Index>(scenes.labels.at({n, 1}));
    double sum = 0;
    for (char c : bytes_of(scenes, n)) sum += static_cast<unsigned char>(c);
    CHECK(sum == static_cast<double>(784 * 10 * (n + 1 + other + 1)));
  }
}

TEST_CASE("scenes: sums of two digits, a channel each") {
  const LabelledImages digits = draw_digits(200, Generator(1));
  const LabelledImages sums = digit_sums(digits, every_index(200), Generator(2));
  CHECK(sums.images.shape() == Shape{200, 2, 42, 42});
  std::set<double> seen;
  for (Index n = 0; n < 200; ++n) {
    const double second = sums.labels.at({n}) - digits.labels.at({n});
    CHECK((second >= 0 && second <= 9));
    seen.insert(second);
    const std::string picture = bytes_of(sums, n);
    CHECK(pixels_of(picture.substr(0, 42 * 42), 0) < 42 * 42);
    CHECK(pixels_of(picture.substr(42 * 42), 0) < 42 * 42);
  }
  CHECK(seen.size() == 10);
}

TEST_CASE("scenes: what does not fit") {
  const LabelledImages digits = draw_digits(2, Generator(1));
  const std::vector<Index> all = every_index(2);
  CHECK_THROWS_WITH(cluttered(digits, all, {.size = 27}, Generator(1)),
                    "[cluttered] digits of 28x28 do not fit a canvas of 27x27");
  CHECK_THROWS_WITH(cluttered(digits, all, {.piece_size = 29}, Generator(1)),
                    "[cluttered] cannot cut 16 pieces of 29x29 from digits of 28x28");
  CHECK_THROWS_WITH(cluttered(digits, all, {.pieces = -1}, Generator(1)),
                    "[cluttered] cannot cut -1 pieces of 6x6 from digits of 28x28");
  CHECK_THROWS_WITH(two_digits(digits, all, Generator(1), 20),
                    "[two_digits] digits of 28x28 do not fit a canvas of 20x20");
  CHECK_THROWS_WITH(digit_sums(two_digits(digits, all, Generator(1)), all, Generator(1)),
                    "[digit_sums] takes grey pictures (N,1,H,W) with labels (N), not (2,1,60,60) with (2,2)");
}
