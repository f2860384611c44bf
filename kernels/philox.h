#ifndef FOVEA_KERNELS_PHILOX_H_
#define FOVEA_KERNELS_PHILOX_H_

#include <algorithm>
#include <cstdint>
#include <new>

#include "fovea/core/captured.h"
#include "fovea/core/shape.h"

namespace fovea {

/// Where a Generator stands: words from `offset` on of the sequence of (seed, stream).
struct RandomState {
  std::uint64_t seed = 0, stream = 0, offset = 0;
  const RandomState* replayed = nullptr;  ///< in a captured step: the state of a replay, on the device
};

/// Takes the next `words` words from a Generator (kernels do not know the class) for a kernel on `device`:
/// where they start. In a captured step every replay takes its own.
template <class G>
RandomState take_words(G& random, Index words, const Device& device) {
  const auto take = [&random, words] {
    auto state = random.state();
    const RandomState start{state.seed, state.stream, state.offset};
    state.offset += static_cast<std::uint64_t>(words);
    random.set_state(state);
    return start;
  };
  const void* place =
      detail::captured_input(device, sizeof(RandomState), [take](void* to) { new (to) RandomState(take()); });
  return place ? RandomState{.replayed = static_cast<const RandomState*>(place)} : take();
}

/// Blocks `first` to `first` + 31 of the sequence of core's Generator (Philox4x32-10) with this seed and
/// stream, made side by side so that the loops vectorise: the same 128 words, in order.
inline void philox_words(std::uint64_t seed, std::uint64_t stream, std::uint64_t first,
                         std::uint32_t* words) {
  constexpr int lanes = 32;  // loops of 16 or fewer are unrolled before they could be vectorised
  constexpr std::uint32_t m0 = 0xD2511F53, m1 = 0xCD9E8D57, w0 = 0x9E3779B9, w1 = 0xBB67AE85;
  std::uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes], high0[lanes], high1[lanes];
  for (int i = 0; i < lanes; ++i) {
    const std::uint64_t n = first + static_cast<std::uint64_t>(i);
    c0[i] = static_cast<std::uint32_t>(n);
    c1[i] = static_cast<std::uint32_t>(n >> 32);
    c2[i] = static_cast<std::uint32_t>(stream);
    c3[i] = static_cast<std::uint32_t>(stream >> 32);
  }
  auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    // The upper halves of the products in loops of their own: there the compiler sees multiplications of 32
    // bits.
    for (int i = 0; i < lanes; ++i) high0[i] = static_cast<std::uint32_t>(std::uint64_t{m0} * c0[i] >> 32);
    for (int i = 0; i < lanes; ++i) high1[i] = static_cast<std::uint32_t>(std::uint64_t{m1} * c2[i] >> 32);
    for (int i = 0; i < lanes; ++i) {
      const std::uint32_t low0 = m0 * c0[i], low1 = m1 * c2[i];
      c0[i] = high1[i] ^ c1[i] ^ k0;
      c1[i] = low1;
      c2[i] = high0[i] ^ c3[i] ^ k1;
      c3[i] = low0;
    }
    k0 += w0;
    k1 += w1;
  }
  for (int i = 0; i < lanes; ++i) {
    words[4 * i] = c0[i];
    words[4 * i + 1] = c1[i];
    words[4 * i + 2] = c2[i];
    words[4 * i + 3] = c3[i];
  }
}

/// Random words for items [begin, end) of which each takes `each`: item i has those from offset + i each on,
/// whichever thread asks. Calls f(i, n, words) for one stretch of n items after the other.
template <Index each, class F>
void for_words(RandomState random, Index begin, Index end, F&& f) {
  constexpr Index batch = 128;
  std::uint32_t words[batch];
  while (begin < end) {
    const std::uint64_t at = random.offset + static_cast<std::uint64_t>(begin * each);
    const auto skip = static_cast<Index>(at % 4);  // a block is four words, and the first may be used in part
    philox_words(random.seed, random.stream, at / 4, words);
    const Index n = std::min((batch - skip) / each, end - begin);
    f(begin, n, words + skip);
    begin += n;
  }
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_PHILOX_H_
