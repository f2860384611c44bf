#include <bit>
#include <cstdint>

#include "fovea/core/dtype.h"
#include "tests/cuda_emulation/cublas_v2.h"

struct cublasContext {
  cudaStream_t stream = nullptr;
};

namespace {

template <class F>
void visit(cudaDataType type, F&& f) {
  if (type == CUDA_R_32F) f.template operator()<float>();
  if (type == CUDA_R_64F) f.template operator()<double>();
  if (type == CUDA_R_16BF) f.template operator()<fovea::bf16>();
}

// A factor as the product takes it.
template <class T>
double factor(T x, cublasComputeType_t compute) {
  if (compute != CUBLAS_COMPUTE_32F_FAST_TF32) return static_cast<double>(x);
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(x));
  return std::bit_cast<float>((bits + 0xfffu + (bits >> 13 & 1u)) & ~0x1fffu);
}

}  // namespace

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t, cublasMath_t) { return CUBLAS_STATUS_SUCCESS; }
cublasStatus_t cublasSetWorkspace(cublasHandle_t, void*, std::size_t) { return CUBLAS_STATUS_SUCCESS; }
const char* cublasGetStatusString(cublasStatus_t) { return "of the emulation"; }

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t op_a,
                                          cublasOperation_t op_b, int m, int n, int k, const void* alpha,
                                          const void* a, cudaDataType a_type, int lda, long long stride_a,
                                          const void* b, cudaDataType b_type, int ldb, long long stride_b,
                                          const void* beta, void* c, cudaDataType c_type, int ldc,
                                          long long stride_c, int count, cublasComputeType_t compute,
                                          cublasGemmAlgo_t) {
  if (a_type != b_type || lda < 1 || ldb < 1 || ldc < m) return CUBLAS_STATUS_NOT_SUPPORTED;
  const bool wide = compute == CUBLAS_COMPUTE_64F;
  const double by =
      wide ? *static_cast<const double*>(alpha) : static_cast<double>(*static_cast<const float*>(alpha));
  const double old =
      wide ? *static_cast<const double*>(beta) : static_cast<double>(*static_cast<const float*>(beta));
  fovea::emulation::queue(handle->stream, [=] {
    visit(a_type, [&]<class In>() {
      visit(c_type, [&]<class Out>() {
        for (int p = 0; p < count; ++p) {
          const In *pa = static_cast<const In*>(a) + p * stride_a,
                   *pb = static_cast<const In*>(b) + p * stride_b;
          Out* pc = static_cast<Out*>(c) + p * stride_c;
          for (std::ptrdiff_t j = 0; j < n; ++j)
            for (std::ptrdiff_t i = 0; i < m; ++i) {
              double sum = 0;
              for (std::ptrdiff_t l = 0; l < k; ++l)
                sum += factor(op_a == CUBLAS_OP_N ? pa[l * lda + i] : pa[i * lda + l], compute) *
                       factor(op_b == CUBLAS_OP_N ? pb[j * ldb + l] : pb[l * ldb + j], compute);
              Out& out = pc[j * ldc + i];
              const double value = by * sum + (old == 0 ? 0 : old * static_cast<double>(out));
              out = static_cast<Out>(
                  static_cast<std::conditional_t<std::is_same_v<Out, double>, double, float>>(value));
            }
        }
      });
    });
  });
  return CUBLAS_STATUS_SUCCESS;
}
