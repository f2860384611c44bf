#include "tests/cuda_emulation/cublasLt.h"

#include <cmath>
#include <cstring>

#include "fovea/core/dtype.h"

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* made, cublasComputeType_t compute,
                                        cudaDataType) {
  *made = new cublasLtMatmulDescription{compute};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t to, cublasLtMatmulDescAttributes_t what,
                                              const void* value, std::size_t bytes) {
  const auto take = [&](auto& x) {
    if (bytes != sizeof x) return CUBLAS_STATUS_NOT_SUPPORTED;
    std::memcpy(&x, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
  };
  switch (what) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return take(to->op_a);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return take(to->op_b);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return take(to->epilogue);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return take(to->bias);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER:
      return take(to->aux);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD:
      return take(to->aux_ld);
  }
  return CUBLAS_STATUS_NOT_SUPPORTED;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t x) { return delete x, CUBLAS_STATUS_SUCCESS; }

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* made, cudaDataType type, std::uint64_t rows,
                                          std::uint64_t columns, std::int64_t ld) {
  *made = new cublasLtLayout{type, rows, columns, ld};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t x) {
  return delete x, CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* made) {
  return *made = new cublasLtPreference, CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t,
                                                    cublasLtMatmulPreferenceAttributes_t, const void*,
                                                    std::size_t) {
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t x) {
  return delete x, CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t description,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t, int,
                                              cublasLtMatmulHeuristicResult_t* found, int* count) {
  *count = d->rows % 2 == 0 && description->aux_ld % 8 == 0;
  found->algo.chosen = true;
  found->state = CUBLAS_STATUS_SUCCESS;
  return *count ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

namespace {

// What is done to a finished product of `rows` rows.
template <class T>
void finish(const cublasLtMatmulDescription& description, T* d, std::uint64_t rows, std::uint64_t columns,
            std::int64_t ld) {
  const bool relu = description.epilogue & CUBLASLT_EPILOGUE_RELU,
             gelu = description.epilogue & CUBLASLT_EPILOGUE_GELU;
  for (std::uint64_t c = 0; c < columns; ++c)
    for (std::uint64_t r = 0; r < rows; ++r) {
      T& x = d[static_cast<std::int64_t>(c) * ld + static_cast<std::int64_t>(r)];
      const auto u = static_cast<float>(x);
      if (description.aux)
        static_cast<T*>(description.aux)[static_cast<std::int64_t>(c) * description.aux_ld +
                                         static_cast<std::int64_t>(r)] = x;
      if (relu && u < 0) x = T(0.f);
      if (gelu) x = T(0.5f * u * (1 + std::tanh(0.79788456f * (u + 0.044715f * u * u * u))));
    }
}

}  // namespace

// The result is filled with the bias, the product added to it, and the activation applied.
cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t description, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                              cublasLtMatrixLayout_t b_layout, const void* beta, const void*,
                              cublasLtMatrixLayout_t, void* d, cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t* algorithm, void*, std::size_t,
                              cudaStream_t stream) {
  const bool turned_a = description->op_a == CUBLAS_OP_T, turned_b = description->op_b == CUBLAS_OP_T;
  const std::uint64_t m = turned_a ? a_layout->columns : a_layout->rows,
                      k = turned_a ? a_layout->rows : a_layout->columns,
                      other = turned_b ? b_layout->columns : b_layout->rows,
                      n = turned_b ? b_layout->rows : b_layout->columns;
  if (!algorithm->chosen || k != other || m != d_layout->rows || n != d_layout->columns ||
      *static_cast<const float*>(beta) != 0 || d_layout->type == CUDA_R_64F)
    return CUBLAS_STATUS_NOT_SUPPORTED;
  const std::size_t size = d_layout->type == CUDA_R_16BF ? 2 : 4, rows = m,
                    step = static_cast<std::size_t>(d_layout->ld) * size;
  fovea::emulation::queue(stream, [=, bias = description->bias] {
    for (std::uint64_t c = 0; c < n; ++c) {
      char* to = static_cast<char*>(d) + c * step;
      if (bias)
        std::memcpy(to, bias, rows * size);
      else
        std::memset(to, 0, rows * size);
    }
  });
  const float one = 1;
  const auto narrow = [](auto x) { return static_cast<int>(x); };
  const cublasStatus_t status = cublasGemmStridedBatchedEx(
      handle, description->op_a, description->op_b, narrow(m), narrow(n), narrow(k), alpha, a, a_layout->type,
      narrow(a_layout->ld), 0, b, b_layout->type, narrow(b_layout->ld), 0, &one, d, d_layout->type,
      narrow(d_layout->ld), 0, 1, description->compute, CUBLAS_GEMM_DEFAULT);
  fovea::emulation::queue(stream, [=, description = *description, type = d_layout->type, ld = d_layout->ld] {
    if (type == CUDA_R_32F) finish(description, static_cast<float*>(d), m, n, ld);
    if (type == CUDA_R_16BF) finish(description, static_cast<fovea::bf16*>(d), m, n, ld);
  });
  return status;
}
