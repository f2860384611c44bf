#ifndef FOVEA_KERNELS_CUDA_BLOCK_H_
#define FOVEA_KERNELS_CUDA_BLOCK_H_

#include "fovea/kernels/cuda_team.h"

/// What kernels share in which a block of threads takes a whole sample.

namespace fovea {

inline constexpr int sample_threads = 256;
inline constexpr int sample_warps = sample_threads / 32;

/// n elements for every block of a kernel to work in: shared memory, or where that is too small memory of the
/// device. (48 KB need not be asked for, and some are left for what is shared elsewhere.)
template <class T>
class BlockRoom {
 public:
  BlockRoom(Cuda d, Index blocks, Index n)
      : bytes_(static_cast<std::size_t>(n) * sizeof(T)),
        fits_(bytes_ <= 40 << 10),
        room_(d, fits_ ? 0 : blocks * n) {}
  /// What to launch the kernel with.
  std::size_t shared() const { return fits_ ? bytes_ : 0; }
  /// What to give to block_room().
  T* data() const { return fits_ ? nullptr : room_.data(); }

 private:
  std::size_t bytes_;
  bool fits_;
  DeviceScratch<T> room_;
};
template <class T>
__device__ T* block_room(T* room, Index n) {
  return room ? room + blockIdx.x * n : dynamic_shared<T>();
}

/// Sums down columns: f(r, c, sums) adds what row r has in column c to `sums` (count numbers), and
/// finish(c, sums) gets the total of column c, in one thread. A warp takes every sample_warps-th row, its
/// lanes neighbouring columns; the order of the additions is fixed. All threads of the block make the call.
template <int count, class T, class F, class Finish>
__device__ void column_sums(Index rows, Index columns, F f, Finish finish) {
  __shared__ T parts[count][sample_threads];
  const Index warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  for (Index first = 0; first < columns; first += 32) {
    const Index c = first + lane;
    T sums[count] = {};
    if (c < columns)
      for (Index r = warp; r < rows; r += sample_warps) f(r, c, sums);
    for (int i = 0; i < count; ++i) parts[i][threadIdx.x] = sums[i];
    __syncthreads();
    if (warp == 0 && c < columns) {
      for (int w = 1; w < sample_warps; ++w)
        for (int i = 0; i < count; ++i) sums[i] += parts[i][w * 32 + lane];
      finish(c, sums);
    }
    __syncthreads();
  }
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_CUDA_BLOCK_H_
