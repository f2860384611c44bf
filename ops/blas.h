#ifndef FOVEA_OPS_BLAS_H_
#define FOVEA_OPS_BLAS_H_

#include <string>

namespace fovea {

/// What the linked OpenBLAS is.
struct BlasInfo {
  std::string config;  ///< its own description
  std::string core;    ///< the processor that its kernels are written for
  bool uses_openmp;    ///< false: it brings its own threads, and Fovea keeps it to one
};
BlasInfo blas_info();

/// OpenBLAS 0.3.21 takes processors that it does not know (Zen 4 and 5) for AVX2 ones, and runs at half their
/// speed. Where that is so, and OPENBLAS_CORETYPE is not set, makes it use its AVX-512 kernels. Call it at
/// the start of main, before any other thread exists; it changes nothing elsewhere. The `fovea` command does.
void use_best_blas_kernels();

/// Lets products and convolutions on a GPU round factors of f32 to TF32, 10 bits of fraction, for tensor
/// cores; sums stay f32, and attention does not round. Off at the start. It holds for all threads from then
/// on; a captured step keeps what held when it was recorded.
void allow_tf32(bool allow);
bool tf32_allowed();

}  // namespace fovea

#endif  // FOVEA_OPS_BLAS_H_
