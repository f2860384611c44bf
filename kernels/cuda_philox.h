#ifndef FOVEA_KERNELS_CUDA_PHILOX_H_
#define FOVEA_KERNELS_CUDA_PHILOX_H_

#include <array>

#include "fovea/core/philox.h"
#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/philox.h"

/// Random words on CUDA: those that a Generator gives on the host.

namespace fovea {

/// The state that a kernel was given, or that of the replay it runs in.
__device__ inline RandomState current(const RandomState& random) {
  return random.replayed ? *random.replayed : random;
}

/// Words i to i + n - 1 from where the state stands on.
template <int n>
__device__ std::array<std::uint32_t, n> words_at(const RandomState& given, Index i) {
  const RandomState random = current(given);
  const std::uint64_t at = random.offset + static_cast<std::uint64_t>(i);
  const auto skip = static_cast<unsigned>(at % 4);
  constexpr std::size_t all = (n + 6) / 4 * 4;  // the blocks that they may lie in
  std::uint32_t words[all] = {};
#pragma unroll
  for (unsigned k = 0; k < all; k += 4) {
    if (k >= skip + n) continue;
    const auto block = philox_block(random.seed, random.stream, at / 4 + k / 4);
    for (unsigned j = 0; j < 4; ++j) words[k + j] = block[j];
  }
  // Moved by one and by two: words that are indexed by `skip` would not stay in registers.
  if (skip & 1)
    for (std::size_t k = 0; k + 1 < all; ++k) words[k] = words[k + 1];
  if (skip & 2)
    for (std::size_t k = 0; k + 2 < all; ++k) words[k] = words[k + 2];
  std::array<std::uint32_t, n> out;
  for (std::size_t k = 0; k < n; ++k) out[k] = words[k];
  return out;
}

/// Word i from where the state stands on.
__device__ inline std::uint32_t word_at(const RandomState& random, Index i) {
  return words_at<1>(random, i)[0];
}

namespace detail {
// A block of threads makes four words a thread for the items of its tile, which neighbouring threads then
// take side by side.
template <int words_each, class F>
__global__ void __launch_bounds__(block_threads) run_words(RandomState given, Index n, F f) {
  const RandomState random = current(given);
  constexpr int room = 4 * block_threads;
  constexpr Index items = (room - 3) / words_each;  // the tile's first word may be a block's last
  alignas(16) __shared__ std::uint32_t words[room];
  for (Index begin = Index(blockIdx.x) * items; begin < n; begin += Index(gridDim.x) * items) {
    const std::uint64_t at = random.offset + static_cast<std::uint64_t>(begin * words_each);
    const auto block = philox_block(random.seed, random.stream, at / 4 + threadIdx.x);
    for (std::size_t i = 0; i < 4; ++i) words[4 * threadIdx.x + i] = block[i];
    __syncthreads();
    for (Index k = threadIdx.x; k < items && begin + k < n; k += block_threads)
      f(begin + k, words + at % 4 + k * words_each);
    __syncthreads();
  }
}
}  // namespace detail

/// Calls f(i, words) for i from 0 to n - 1 with the words from offset + i words_each on. for_words of
/// philox.h.
template <int words_each, class F>
void each_words(Cuda d, RandomState random, Index n, F f) {
  if (n == 0) return;
  const Index blocks = std::min(n * words_each / (4 * block_threads - 3) + 1, most_blocks);
  launch(d, detail::run_words<words_each, F>, dim3(static_cast<unsigned>(blocks)), block_threads, 0, random,
         n, f);
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_CUDA_PHILOX_H_
