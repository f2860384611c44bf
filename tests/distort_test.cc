#include "fovea/models/data/distort.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "fovea/models/data/digits.h"
#include "fovea/models/data/warp.h"

namespace {

using namespace fovea;

const std::vector<std::string> names = {"R", "RTS", "P", "E"};

/// The bytes of picture n.
std::string bytes_of(const LabelledImages& all, Index n) {
  const LabelledImages one = part(all, n, 1);
  return {static_cast<const char*>(one.images.raw()), one.images.bytes()};
}

double ink(const std::string& bytes) {
  double sum = 0;
  for (char c : bytes) sum += static_cast<unsigned char>(c);
  return sum / 255;
}

/// `count` pictures of a square of `half` pixels around the middle, all class 3.
LabelledImages squares(Index count, int half) {
  LabelledImages out{Tensor::empty({count, 1, 28, 28}, DType::u8), Tensor::empty({count}, DType::i32)};
  for (Index i = 0; i < out.images.numel(); ++i) {
    const bool in = std::abs(static_cast<double>(i % 28) - 13.5) < half &&
                    std::abs(static_cast<double>(i / 28 % 28) - 13.5) < half;
    out.images.mutable_data<std::uint8_t>()[i] = in ? 255 : 0;
  }
  for (Index i = 0; i < count; ++i) out.labels.mutable_data<std::int32_t>()[i] = 3;
  return out;
}

}  // namespace

TEST_CASE("distort: a picture depends on seed and number alone") {
  const LabelledImages digits = draw_digits(12, Generator(1));
  for (const std::string& name : names) {
    CAPTURE(name);
    const Distortion kind = distortion_of(name);
    const LabelledImages all = distort(digits, every_index(12), kind, Generator(9));
    const Index side = name == "RTS" ? 42 : 28;
    CHECK(all.images.shape() == Shape{12, 1, side, side});
    const LabelledImages some = distort(digits, std::vector<Index>{7, 2, 7}, kind, Generator(9));
    CHECK(bytes_of(some, 0) == bytes_of(all, 7));
    CHECK(bytes_of(some, 1) == bytes_of(all, 2));
    CHECK(bytes_of(some, 2) == bytes_of(all, 7));
    CHECK(some.labels.at({1}) == digits.labels.at({2}));
    CHECK(bytes_of(distort(digits, every_index(12), kind, Generator(9, 1)), 3) != bytes_of(all, 3));
    CHECK(distort(digits, {}, kind, Generator(9)).size() == 0);
  }
}

TEST_CASE("distort: sizes of what comes out") {
  const LabelledImages from = squares(400, 5);  // 100 pixels of ink, far from every border
  const double before = ink(bytes_of(from, 0));
  CHECK(before == 100);
  double least = 1e9, most = 0, left = 42, right = 0;
  const LabelledImages turned = distort(from, every_index(400), Distortion::rotation, Generator(1));
  const LabelledImages moved =
      distort(from, every_index(400), Distortion::rotation_translation_scale, Generator(1));
  for (Index n = 0; n < 400; ++n) {
    CHECK(ink(bytes_of(turned, n)) == doctest::Approx(before).epsilon(0.04));
    const std::string picture = bytes_of(moved, n);
    const double area = ink(picture);
    least = std::min(least, area), most = std::max(most, area);
    double x = 0;
    for (std::size_t i = 0; i < picture.size(); ++i)
      x += static_cast<double>(i % 42) * static_cast<unsigned char>(picture[i]) / 255;
    left = std::min(left, x / area), right = std::max(right, x / area);
  }
  // RTS: areas from 0.7^2 to 1.2^2, middles 7 pixels either way.
  CHECK(least == doctest::Approx(49).epsilon(0.06));
  CHECK(most == doctest::Approx(144).epsilon(0.06));
  CHECK((left > 13.4 && left < 14 && right > 27 && right < 27.6));
}

TEST_CASE("distort: P moves the corners, E the inside") {
  const LabelledImages from = squares(300, 6);
  double smaller = 0, spread = 0;
  const LabelledImages projected = distort(from, every_index(300), Distortion::projective, Generator(1));
  const LabelledImages bent = distort(from, every_index(300), Distortion::elastic, Generator(1));
  for (Index n = 0; n < 300; ++n) {
    smaller += ink(bytes_of(projected, n)) / 144 / 300;
    spread += std::pow(ink(bytes_of(bent, n)) / 144 - 1, 2) / 300;
  }
  // The area of a quadrilateral whose corners move by independent amounts stays that of the square on
  // average: E[scale^2] = 0.771 of it.
  CHECK(smaller == doctest::Approx(0.771).epsilon(0.1));
  CHECK((std::sqrt(spread) > 0.03 && std::sqrt(spread) < 0.3));
}

TEST_CASE("distort: what it does not take") {
  const LabelledImages digits = draw_digits(2, Generator(1));
  CHECK_THROWS_WITH(distortion_of("X"), "[distort] there is no distortion 'X'; there are R, RTS, P and E");
  const LabelledImages colour{Tensor::empty({1, 3, 8, 8}, DType::u8), digits.labels};
  CHECK_THROWS_WITH(distort(colour, every_index(1), Distortion::rotation, Generator(1)),
                    "[distort] takes grey pictures (N,1,H,W), not (1,3,8,8)");
  CHECK_THROWS_AS(distort(digits, every_index(3), Distortion::rotation, Generator(1)), Error);
}

TEST_CASE("warp: between pixels, and beyond them") {
  const std::uint8_t pixels[] = {0, 100, 200, 40};
  const detail::Grey picture{pixels, 2, 2};
  CHECK(picture.at({1, 0}) == 100);
  CHECK(picture.at({0.5f, 0}) == 50);
  CHECK(picture.at({0.5f, 0.5f}) == 85);
  CHECK(picture.at({1.25f, 0}) == 75);  // a quarter of the way into the black
  CHECK(picture.at({2, 0}) == 0);
  CHECK(picture.at({-1, 0}) == 0);
  CHECK(picture.at({-1e30f, 1e30f}) == 0);
  CHECK(picture.at({std::nanf(""), 0}) == 0);
  std::uint8_t turned[4];
  detail::warp_similar(picture, turned, 2, 2, 3.14159265f / 2, 1, 0, 0);  // clockwise
  CHECK(std::string(turned, turned + 4) == std::string({'\xc8', 0, 40, 100}));
  detail::warp_similar(picture, turned, 2, 2, 0, 1, 1, 0);
  CHECK(std::string(turned, turned + 4) == std::string({0, 0, 0, '\xc8'}));
}

TEST_CASE("warp: solve") {
  const std::vector<double> x = detail::solve({0, 2, 1, 1, 1, 0, 3, 0, 1}, {7, 3, 6}, 3);
  CHECK(x[0] == doctest::Approx(1));
  CHECK(x[1] == doctest::Approx(2));
  CHECK(x[2] == doctest::Approx(3));
}
