#include "fovea/ops/blas.h"

#include <cblas.h>

#include <cstdlib>

#include "fovea/kernels/gemm.h"

// In OpenBLAS built with DYNAMIC_ARCH, and only there.
extern "C" {
[[gnu::weak]] void gotoblas_dynamic_quit();
[[gnu::weak]] void gotoblas_dynamic_init();
}

namespace fovea {

BlasInfo blas_info() {
  return {openblas_get_config(), openblas_get_corename(), openblas_get_parallel() == OPENBLAS_OPENMP};
}

void use_best_blas_kernels() {
#if defined(__x86_64__)
  const std::string core = openblas_get_corename();
  const bool avx2_kernels = core == "Haswell" || core == "Zen";
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (avx2_kernels && avx512 && !std::getenv("OPENBLAS_CORETYPE") && gotoblas_dynamic_quit &&
      gotoblas_dynamic_init) {
    setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
  }
#endif
  if (openblas_get_parallel() == OPENBLAS_THREAD) openblas_set_num_threads(1);
}

void allow_tf32(bool allow) { detail::tf32 = allow; }
bool tf32_allowed() { return detail::tf32; }

}  // namespace fovea
