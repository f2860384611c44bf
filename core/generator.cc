#include "fovea/core/generator.h"

#include <cmath>
#include <numbers>

namespace fovea {

std::array<std::uint32_t, 4> Generator::block(std::uint64_t seed, std::uint64_t stream, std::uint64_t n) {
  constexpr std::uint64_t m0 = 0xD2511F53, m1 = 0xCD9E8D57;  // the paper's multipliers
  constexpr std::uint32_t w0 = 0x9E3779B9, w1 = 0xBB67AE85;  // and key increments
  std::array<std::uint32_t, 4> c = {static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(n >> 32),
                                    static_cast<std::uint32_t>(stream),
                                    static_cast<std::uint32_t>(stream >> 32)};
  auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = m0 * c[0], p1 = m1 * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += w0;
    k1 += w1;
  }
  return c;
}

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
