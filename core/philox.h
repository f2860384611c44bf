#ifndef FOVEA_CORE_PHILOX_H_
#define FOVEA_CORE_PHILOX_H_

#include <array>
#include <cstdint>

namespace fovea {

/// Block n, four words, of the random sequence of (seed, stream): Philox4x32-10 (Salmon, Moraes, Dror, Shaw,
/// "Parallel random numbers: as easy as 1, 2, 3", SC 2011). The same bits on every device.
constexpr std::array<std::uint32_t, 4> philox_block(std::uint64_t seed, std::uint64_t stream,
                                                    std::uint64_t n) {
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

}  // namespace fovea

#endif  // FOVEA_CORE_PHILOX_H_
