#include "fovea/core/generator.h"

#include <cmath>
#include <numbers>

namespace fovea {

void Generator::refill(std::uint64_t n) {
  words_ = block(state_.seed, state_.stream, n);
  cached_ = n;
  key_seed_ = state_.seed;
  key_stream_ = state_.stream;
}

float Generator::normal() {
  const double u = (static_cast<double>(bits()) + 1) * 0x1p-32;  // in (0, 1], so that the log is finite
  const double v = static_cast<double>(bits()) * 0x1p-32;
  return static_cast<float>(std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v));
}

}  // namespace fovea
