#ifndef FOVEA_TESTS_CUDA_EMULATION_CUDA_RUNTIME_H_
#define FOVEA_TESTS_CUDA_EMULATION_CUDA_RUNTIME_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tests/cuda_emulation/cuda_runtime_api.h"

/// What *_cuda.cu files take from CUDA, on the host: kernels run as ordinary code, the threads of a block as
/// fibers that take turns at barriers. So the arithmetic of every kernel is tested where there is no GPU,
/// under sanitizers too. See README.md.

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__ __restrict
// Blocks run one after the other, so that one copy serves them all.
#define __shared__ static thread_local

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

inline thread_local dim3 threadIdx{0, 0, 0}, blockIdx{0, 0, 0}, blockDim, gridDim;

namespace fovea::emulation {

/// The other lanes of a warp's values in an exchange.
void* exchange(const void* value, std::size_t bytes, unsigned mask, int from_lane);
void block_barrier();
void warp_barrier(unsigned mask);
/// How many lanes of `mask` say yes, as bits.
unsigned ballot(unsigned mask, bool yes);
/// What tensor cores do: see kernels/tensor_cores.h.
void require_aligned(const void* address, int bytes);
void multiply_add(float (&sums)[4], const std::uint32_t (&left)[4], std::uint32_t b0, std::uint32_t b1);
void multiply_add(float (&sums)[4], const float (&left)[4], float b0, float b1);
float tf32(float x);
void load_matrices(std::uint32_t (&to)[4], const void* row, bool turned);

template <class T>
T shuffle(unsigned mask, T value, int from_lane) {
  static_assert(sizeof(T) <= 16);
  T out;
  std::memcpy(&out, exchange(&value, sizeof(T), mask, from_lane), sizeof(T));
  warp_barrier(mask);
  return out;
}

inline int lane() { return static_cast<int>(threadIdx.x % 32); }

}  // namespace fovea::emulation

inline void __syncthreads() { fovea::emulation::block_barrier(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { fovea::emulation::warp_barrier(mask); }
inline void __threadfence() {}
inline void __threadfence_system() {}
template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32) {
  const int first = fovea::emulation::lane() / width * width;
  return fovea::emulation::shuffle(mask, value, first + lane % width);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int m) {
  return fovea::emulation::shuffle(mask, value, fovea::emulation::lane() ^ m);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, int by) {
  const int lane = fovea::emulation::lane();
  return fovea::emulation::shuffle(mask, value, lane >= by ? lane - by : lane);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, int by) {
  const int lane = fovea::emulation::lane();
  return fovea::emulation::shuffle(mask, value, lane + by < 32 ? lane + by : lane);
}
inline unsigned __ballot_sync(unsigned mask, bool yes) { return fovea::emulation::ballot(mask, yes); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(unsigned x) { return __builtin_ffs(static_cast<int>(x)); }
template <class T>
T __ldg(const T* p) {
  return *p;
}

// One thread runs at a time: nothing comes between reading and writing.
template <class T>
T atomicAdd(T* to, T x) {
  const T old = *to;
  *to = old + x;
  return old;
}
template <class T>
T atomicMax(T* to, T x) {
  const T old = *to;
  if (x > old) *to = x;
  return old;
}
template <class T>
T atomicMin(T* to, T x) {
  const T old = *to;
  if (x < old) *to = x;
  return old;
}
template <class T>
T atomicCAS(T* to, T compare, T x) {
  const T old = *to;
  if (old == compare) *to = x;
  return old;
}

struct float4 {
  float x, y, z, w;
};
struct float2 {
  float x, y;
};

#endif  // FOVEA_TESTS_CUDA_EMULATION_CUDA_RUNTIME_H_
