#ifndef FOVEA_KERNELS_GEMM_BATCHED_H_
#define FOVEA_KERNELS_GEMM_BATCHED_H_

#include "fovea/kernels/gemm.h"

namespace fovea {

/// Matrices that lie `step` elements apart; 0: one for all.
template <class T>
struct Batch {
  Matrix<T> first;
  Index step;
};

/// gemm() for `count` triples, in one call to cuBLAS. C's matrices are different ones.
void gemm_batched(Cuda, Index m, Index n, Index k, Batch<const float> a, Batch<const float> b, Batch<float> c,
                  Index count, Into into);
void gemm_batched(Cuda, Index m, Index n, Index k, Batch<const double> a, Batch<const double> b,
                  Batch<double> c, Index count, Into into);

}  // namespace fovea

#endif  // FOVEA_KERNELS_GEMM_BATCHED_H_
