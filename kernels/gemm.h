#ifndef FOVEA_KERNELS_GEMM_H_
#define FOVEA_KERNELS_GEMM_H_

#include <atomic>
#include <span>

#include "fovea/core/device.h"
#include "fovea/core/dtype.h"
#include "fovea/core/into.h"
#include "fovea/core/shape.h"

namespace fovea {

namespace detail {
inline std::atomic<bool> tf32{false};  // what a GPU may do with f32 factors
}

/// A matrix operand: row-major with `ld` elements from row to row; transposed means that the stored matrix is
/// the transpose of the operand.
template <class T>
struct Matrix {
  T* data;
  Index ld;
  bool transposed = false;
};

/// C [m,n] = A [m,k] B [k,n], or += with Into::add. C is not transposed. Any size may be 0.
void gemm(Cpu, Index m, Index n, Index k, Matrix<const float> a, Matrix<const float> b, Matrix<float> c,
          Into into);
void gemm(Cuda, Index m, Index n, Index k, Matrix<const float> a, Matrix<const float> b, Matrix<float> c,
          Into into);
void gemm(Cpu, Index m, Index n, Index k, Matrix<const double> a, Matrix<const double> b, Matrix<double> c,
          Into into);
void gemm(Cuda, Index m, Index n, Index k, Matrix<const double> a, Matrix<const double> b, Matrix<double> c,
          Into into);

/// Of bf16 with sums in f32, rounded to bf16 or not.
void gemm(Cuda, Index m, Index n, Index k, Matrix<const bf16> a, Matrix<const bf16> b, Matrix<bf16> c,
          Into into);
void gemm(Cuda, Index m, Index n, Index k, Matrix<const bf16> a, Matrix<const bf16> b, Matrix<float> c,
          Into into);

/// What is done to a product C [m,n] before it is written: C = f(u), u = A B + bias.
inline constexpr int no_activation = -1;
template <class T>
struct Epilogue {
  const T* bias = nullptr;         ///< [n], for every row
  int activation = no_activation;  ///< f, by its place in the list of unary pointwise ops
  T* u = nullptr;                  ///< [m,n], where u is to be kept
};

/// C = A B with an epilogue, in one kernel. False, and nothing done: cuBLAS has none for these, or there is
/// no epilogue.
bool gemm_with(Cuda, Index m, Index n, Index k, Matrix<const float> a, Matrix<const float> b,
               const Epilogue<float>& epilogue, Matrix<float> c);
bool gemm_with(Cuda, Index m, Index n, Index k, Matrix<const bf16> a, Matrix<const bf16> b,
               const Epilogue<bf16>& epilogue, Matrix<bf16> c);

}  // namespace fovea

#endif  // FOVEA_KERNELS_GEMM_H_
