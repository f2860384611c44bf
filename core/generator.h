#ifndef FOVEA_CORE_GENERATOR_H_
#define FOVEA_CORE_GENERATOR_H_

#include <array>
#include <bit>
#include <cstdint>

#include "fovea/core/philox.h"

namespace fovea {

/// A counter-based random generator: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as
/// easy as 1, 2, 3", SC 2011). The n-th block of four words depends on (seed, stream, n) alone, so any device
/// can make any part of the sequence, and the state to save is three numbers. Objects are explicit: there is
/// no global one.
class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0, std::uint64_t stream = 0) : state_{seed, stream, 0} {}

  struct State {
    std::uint64_t seed, stream, offset;  ///< offset: words already used
    bool operator==(const State&) const = default;
  };
  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

  /// The next 32 random bits.
  std::uint32_t bits() {
    const std::uint64_t n = state_.offset++;
    if (n / 4 != cached_ || !cache_valid(n)) refill(n / 4);
    return words_[n % 4];
  }
  /// Uniform in [0, 1) with 24 bits.
  float uniform() { return static_cast<float>(bits() >> 8) * 0x1p-24f; }
  /// Uniform in {0, ..., n - 1}; n >= 1. The bias is below n / 2^64.
  std::uint32_t below(std::uint32_t n) {
    const std::uint64_t high = bits();
    return static_cast<std::uint32_t>((static_cast<unsigned __int128>(high << 32 | bits()) * n) >> 64);
  }
  /// Standard normal (Box and Muller 1958), from two words.
  float normal();

  /// A generator of the same seed whose sequence does not overlap this one's, for every different `stream`.
  Generator fork(std::uint64_t stream) const {
    // Mixed first, so that fork(a).fork(b) is not fork(b).fork(a).
    const std::uint64_t mixed = std::rotl(state_.stream, 23) * 0x9E3779B97F4A7C15u;
    return Generator(state_.seed, mixed ^ (stream + 1) << 20);
  }

  /// Block n of the sequence of (seed, stream).
  static std::array<std::uint32_t, 4> block(std::uint64_t seed, std::uint64_t stream, std::uint64_t n) {
    return philox_block(seed, stream, n);
  }

 private:
  bool cache_valid(std::uint64_t) const { return key_seed_ == state_.seed && key_stream_ == state_.stream; }
  void refill(std::uint64_t n);

  State state_;
  std::uint64_t cached_ = ~std::uint64_t{0}, key_seed_ = 0, key_stream_ = 0;
  std::array<std::uint32_t, 4> words_{};
};

}  // namespace fovea

#endif  // FOVEA_CORE_GENERATOR_H_
