#ifndef FOVEA_KERNELS_SAMPLE_TERMS_H_
#define FOVEA_KERNELS_SAMPLE_TERMS_H_

#include <cstdint>
#include <numbers>

#include "fovea/kernels/scalar_math.h"

/// Numbers made of random words, for all devices.

namespace fovea::sampling {

/// Box and Muller 1958: sqrt(-2 ln u) cos(2 pi v) with u = (a + 1) / 2^32 in (0, 1] and v = b / 2^32.
template <class T>
FOVEA_HD T normal(std::uint32_t a, std::uint32_t b) {
  const auto full = [](std::uint32_t x) { return static_cast<T>(static_cast<std::int32_t>(x)); };
  const T angle = T(2 * std::numbers::pi * 0x1p-32) * full(b);  // the full turn from -pi on
  // A float near 1 has no digits left for the distance from 1, which is what ln u is about: so that distance
  // is taken from the integer.
  const bool high = a >> 31 != 0;
  const T below = T(0x1p-32) * (full(a & 0x7FFFFFFF) + 1), above = T(-0x1p-32) * full(~a & 0x7FFFFFFF);
  const T log_low = math::log(below), log_high = math::log1p(above);
  return math::sqrt(-2 * (high ? log_high : log_low)) * math::cos(angle);
}

/// As Generator::uniform().
template <class T>
FOVEA_HD T uniform(std::uint32_t word) {
  return static_cast<T>(static_cast<std::int32_t>(word >> 8)) * T(0x1p-24);
}

}  // namespace fovea::sampling

#endif  // FOVEA_KERNELS_SAMPLE_TERMS_H_
