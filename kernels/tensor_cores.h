#ifndef FOVEA_KERNELS_TENSOR_CORES_H_
#define FOVEA_KERNELS_TENSOR_CORES_H_

#include "fovea/kernels/cuda_launch.h"

/// Tensor cores, and what feeds them: a warp multiplies small matrices of bf16 that lie spread over its
/// lanes, with sums in f32 (mma.m16n8k16 of PTX). With g = lane / 4 and t = lane % 4 a lane holds
///   of a left factor [16,16]:  rows g and g + 8, columns 2t, 2t + 1, 2t + 8, 2t + 9,
///   of a right factor [16,8]:  rows 2t, 2t + 1, 2t + 8, 2t + 9, column g,
///   of the sums [16,8]:        rows g and g + 8, columns 2t and 2t + 1.
/// All lanes make every call together. Included by *_cuda.cu files only.

namespace fovea::tensor_cores {

using Pair = std::uint32_t;  ///< two bf16, the first in the lower half

__device__ inline int lane() { return static_cast<int>(threadIdx.x) % 32; }

/// sums += left (b0, b1). left: rows g, g + 8 of columns 2t on, then of columns 2t + 8 on.
__device__ inline void multiply_add(float (&sums)[4], const Pair (&left)[4], Pair b0, Pair b1) {
#ifdef __CUDACC__
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(b0), "r"(b1));
#else
  emulation::multiply_add(sums, left, b0, b1);
#endif
}

/// The same of f32 that take() has rounded: left [16,8] and right [8,8] (mma.m16n8k8). A lane holds rows g
/// and g + 8 of column t of the left factor, then of column t + 4; and rows t and t + 4 of column g of the
/// right one.
__device__ inline void multiply_add(float (&sums)[4], const float (&left)[4], float b0, float b1) {
#ifdef __CUDACC__
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(__float_as_uint(left[0])), "r"(__float_as_uint(left[1])), "r"(__float_as_uint(left[2])),
        "r"(__float_as_uint(left[3])), "r"(__float_as_uint(b0)), "r"(__float_as_uint(b1)));
#else
  emulation::multiply_add(sums, left, b0, b1);
#endif
}

/// Rounded to TF32, 10 bits of fraction; ties away from 0.
__device__ inline float take(float x) {
#ifdef __CUDACC__
  unsigned y;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));
  return __uint_as_float(y);
#else
  return emulation::tf32(x);
#endif
}

/// Four matrices [8,8] from shared memory: `row` of lane 8 i + r is row r of matrix i, 16 bytes. A lane gets
/// columns 2t and 2t + 1 of row g of every matrix; turned, rows 2t and 2t + 1 of column g.
template <bool turned>
__device__ void load(Pair (&to)[4], const bf16* row) {
#ifdef __CUDACC__
  const auto at = static_cast<unsigned>(__cvta_generic_to_shared(row));
  if constexpr (turned)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(at)
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(at)
                 : "memory");
#else
  emulation::load_matrices(to, row, turned);
#endif
}

/// Rounded to nearest even.
__device__ inline Pair pair(float first, float second) {
#ifdef __CUDACC__
  Pair p;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(p) : "f"(second), "f"(first));
  return p;
#else
  return Pair{bf16(first).bits} | Pair{bf16(second).bits} << 16;
#endif
}
__device__ inline float first_of(Pair p) { return std::bit_cast<float>(p << 16); }
__device__ inline float second_of(Pair p) { return std::bit_cast<float>(p & 0xffff0000u); }

/// 2^x, to two units in the last place; 0 where that is below 2^-126.
__device__ inline float exp2(float x) {
#ifdef __CUDACC__
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return std::exp2(x);
#endif
}

/// Starts to copy `bytes` (4 or 16) to shared memory; zeros unless `there`, and then nothing is read.
template <int bytes>
__device__ void copy(void* to, const void* from, bool there) {
#ifdef __CUDACC__
  const auto at = static_cast<unsigned>(__cvta_generic_to_shared(to));
  const int read = there ? bytes : 0;
  if constexpr (bytes == 16)  // past the nearest cache, which only this block would use
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(at), "l"(from), "r"(read) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(at), "l"(from), "n"(bytes), "r"(read)
                 : "memory");
#else
  emulation::require_aligned(to, bytes);
  if (there) emulation::require_aligned(from, bytes);
  there ? std::memcpy(to, from, bytes) : std::memset(to, 0, bytes);
#endif
}

/// Waits for what this thread has started to copy. Others' copies are there after a barrier.
__device__ inline void wait_for_copies() {
#ifdef __CUDACC__
  asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

}  // namespace fovea::tensor_cores

#endif  // FOVEA_KERNELS_TENSOR_CORES_H_
