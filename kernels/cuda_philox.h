#ifndef FOVEA_KERNELS_CUDA_PHILOX_H_
#define FOVEA_KERNELS_CUDA_PHILOX_H_

#include "fovea/core/philox.h"
#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/philox.h"

/// Random words on CUDA: those that a Generator gives on the host.

namespace fovea {

/// The state that a kernel was given, or that of the replay it runs in.
__device__ inline RandomState current(const RandomState& random) {
  return random.replayed ? *random.replayed : random;
}

/// Word i from where the state stands on.
__device__ inline std::uint32_t word_at(const RandomState& given, Index i) {
  const RandomState random = current(given);
  const std::uint64_t at = random.offset + static_cast<std::uint64_t>(i);
  const auto block = philox_block(random.seed, random.stream, at / 4);
  const auto n = static_cast<unsigned>(at % 4);  // chosen, not indexed, so that the words stay in registers
  return n < 2 ? (n == 0 ? block[0] : block[1]) : (n == 2 ? block[2] : block[3]);
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
