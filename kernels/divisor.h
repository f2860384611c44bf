#ifndef FOVEA_KERNELS_DIVISOR_H_
#define FOVEA_KERNELS_DIVISOR_H_

#include <cstdint>

#include "fovea/kernels/scalar_math.h"

namespace fovea {

/// Division of 0 <= n < 2^31 by a number that is known before a kernel starts: a multiplication and a shift,
/// where a GPU takes some twenty instructions to divide. (Granlund and Montgomery 1994, figure 4.1: with
/// 2^shift >= by, the product with m = 2^32 + magic, m = 2^(32 + shift) / by rounded up, is exact.)
class Divisor {
 public:
  Divisor() = default;
  explicit Divisor(int by) : by_(by) {
    while ((std::uint64_t{1} << shift_) < static_cast<std::uint64_t>(by)) ++shift_;
    const auto d = static_cast<std::uint64_t>(by > 0 ? by : 1);
    magic_ = static_cast<std::uint32_t>((((std::uint64_t{1} << shift_) - d) << 32) / d + 1);
  }
  FOVEA_HD int by() const { return by_; }
  FOVEA_HD int quotient(int n) const {
    const auto x = static_cast<std::uint32_t>(n);
    const auto high = static_cast<std::uint32_t>((static_cast<std::uint64_t>(x) * magic_) >> 32);
    return static_cast<int>((high + x) >> shift_);
  }

 private:
  int by_ = 1, shift_ = 0;
  std::uint32_t magic_ = 1;
};

}  // namespace fovea

#endif  // FOVEA_KERNELS_DIVISOR_H_
