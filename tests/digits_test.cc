#include "fovea/models/data/digits.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace {

using namespace fovea;

constexpr Index pixels = 28 * 28;

/// How many digits of `test` the nearest mean digit of `train` gets wrong, as a share.
double nearest_mean_error(const LabelledImages& train, const LabelledImages& test) {
  std::array<std::array<double, pixels>, 10> mean{};
  std::array<double, 10> count{};
  const auto* x = train.images.data<std::uint8_t>();
  const auto* label = train.labels.data<std::int32_t>();
  for (Index n = 0; n < train.size(); ++n) {
    auto& sum = mean[static_cast<std::size_t>(label[n])];
    count[static_cast<std::size_t>(label[n])] += 1;
    for (Index i = 0; i < pixels; ++i) sum[static_cast<std::size_t>(i)] += x[n * pixels + i];
  }
  for (std::size_t d = 0; d < 10; ++d)
    for (double& m : mean[d]) m /= count[d];
  int wrong = 0;
  x = test.images.data<std::uint8_t>();
  label = test.labels.data<std::int32_t>();
  for (Index n = 0; n < test.size(); ++n) {
    std::array<double, 10> distance{};
    for (std::size_t d = 0; d < 10; ++d)
      for (Index i = 0; i < pixels; ++i) {
        const double e = mean[d][static_cast<std::size_t>(i)] - x[n * pixels + i];
        distance[d] += e * e;
      }
    wrong += std::min_element(distance.begin(), distance.end()) - distance.begin() != label[n];
  }
  return wrong / static_cast<double>(test.size());
}

}  // namespace

TEST_CASE("digits: a seed makes them, each by itself") {
  const LabelledImages all = draw_digits(64, Generator(5)), again = draw_digits(40, Generator(5));
  CHECK(all.images.shape() == Shape{64, 1, 28, 28});
  CHECK(all.labels.shape() == Shape{64});
  CHECK(std::memcmp(all.images.raw(), again.images.raw(), again.images.bytes()) == 0);
  CHECK(std::memcmp(all.labels.raw(), again.labels.raw(), again.labels.bytes()) == 0);
  const LabelledImages other = draw_digits(64, Generator(5, 1));
  CHECK(std::memcmp(all.images.raw(), other.images.raw(), all.images.bytes()) != 0);
  CHECK(draw_digits(0, Generator(5)).images.shape() == Shape{0, 1, 28, 28});
  CHECK_THROWS_WITH(draw_digits(-1, Generator(5)), "[draw_digits] cannot draw -1 digits");
}

TEST_CASE("digits: all classes, black ground, ink in the middle") {
  const LabelledImages digits = draw_digits(2000, Generator(1));
  std::array<int, 10> count{};
  for (std::int32_t label : digits.labels.values<std::int32_t>()) ++count[static_cast<std::size_t>(label)];
  for (int n : count) CHECK((n > 140 && n < 260));
  const auto* x = digits.images.data<std::uint8_t>();
  double total = 0;
  for (Index n = 0; n < digits.size(); ++n) {
    double ink = 0, at_x = 0, at_y = 0, brightest = 0;
    for (Index i = 0; i < pixels; ++i) {
      const double v = x[n * pixels + i];
      ink += v, at_x += v * static_cast<double>(i % 28), at_y += v * static_cast<double>(i / 28);
      brightest = std::max(brightest, v);
    }
    CHECK(brightest > 150);
    CHECK((at_x / ink > 9 && at_x / ink < 18));
    CHECK((at_y / ink > 9 && at_y / ink < 18));
    total += ink;
  }
  const double mean = total / 255 / static_cast<double>(digits.images.numel());
  CHECK((mean > 0.09 && mean < 0.17));  // MNIST's is 0.13
}

TEST_CASE("digits: they can be told apart, but not by their mean alone") {
  const double error = nearest_mean_error(draw_digits(3000, Generator(1)), draw_digits(1000, Generator(2)));
  CHECK((error > 0.1 && error < 0.4));
}
