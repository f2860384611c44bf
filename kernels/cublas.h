#ifndef FOVEA_KERNELS_CUBLAS_H_
#define FOVEA_KERNELS_CUBLAS_H_

#include <cublas_v2.h>

#include <limits>

#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/gemm.h"

/// What products have of cuBLAS. Its matrices are column-major: what is row-major here is the transpose
/// there, so C = A B is asked for as C^T = B^T A^T with the operands exchanged. Included by gemm*_cuda.cu
/// only.

namespace fovea::cublas {

inline constexpr std::size_t workspace_bytes = 32 << 20;  // what cuBLAS wants on Hopper

inline void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_ALLOC_FAILED) detail::cuda_check(cudaErrorMemoryAllocation, what);
  require(status == CUBLAS_STATUS_SUCCESS, "cublas", what, " failed: ", cublasGetStatusString(status));
}

/// A device's handle, and the room that products work in: ours, so that those of a captured step need no
/// memory of their own.
struct Context {
  cublasHandle_t handle = nullptr;
  std::byte* workspace = nullptr;
};
Context context_of(Cuda d);

inline cublasOperation_t flag(bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; }
inline int narrow(Index n) {
  require(n <= std::numeric_limits<int>::max(), "gemm", "a size of ", n, " is more than cuBLAS takes");
  return static_cast<int>(n);
}

template <class T>
inline constexpr cudaDataType type_of = std::is_same_v<T, double>  ? CUDA_R_64F
                                        : std::is_same_v<T, float> ? CUDA_R_32F
                                                                   : CUDA_R_16BF;

/// In which precision products of T are summed: f64 of f64, else f32, with f32 factors rounded where allowed.
template <class T>
cublasComputeType_t compute_of() {
  if constexpr (std::is_same_v<T, double>) return CUBLAS_COMPUTE_64F;
  return std::is_same_v<T, float> && detail::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

}  // namespace fovea::cublas

#endif  // FOVEA_KERNELS_CUBLAS_H_
