#include <cublasLt.h>

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "fovea/kernels/cublas.h"

// cuBLASLt adds a bias on the way out, where the other interface would have us fill C with it first. It wants
// to be asked which of its kernels suits the sizes, which takes longer than a small product: answers are
// kept.

namespace fovea {
namespace {

using cublas::check, cublas::flag, cublas::type_of;

template <class T, cublasStatus_t (*destroy)(T)>
struct Destroy {
  void operator()(T x) const { destroy(x); }
};
template <class T, cublasStatus_t (*destroy)(T)>
using Owned = std::unique_ptr<std::remove_pointer_t<T>, Destroy<T, destroy>>;
using Description = Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using Layout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using Preference = Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

template <class V>
void set(const Description& to, cublasLtMatmulDescAttributes_t what, V value) {
  check(cublasLtMatmulDescSetAttribute(to.get(), what, &value, sizeof value),
        "cublasLtMatmulDescSetAttribute");
}
template <class V>
void set(const Preference& to, cublasLtMatmulPreferenceAttributes_t what, V value) {
  check(cublasLtMatmulPreferenceSetAttribute(to.get(), what, &value, sizeof value),
        "cublasLtMatmulPreferenceSetAttribute");
}

template <class T>
Layout layout(Index rows, Index columns, Index ld) {
  cublasLtMatrixLayout_t made = nullptr;
  check(cublasLtMatrixLayoutCreate(&made, type_of<T>, static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(columns), ld),
        "cublasLtMatrixLayoutCreate");
  return Layout(made);
}

// Up to 256, what kernels at most ask for.
std::uint32_t alignment(const void* p) {
  const auto bits = reinterpret_cast<std::uintptr_t>(p) | 256u;
  return static_cast<std::uint32_t>(bits & (~bits + 1));
}

// Everything that the choice of a kernel depends on.
using Key = std::array<Index, 14>;

template <class T>
bool product(Cuda d, Index m, Index n, Index k, Matrix<const T> a, Matrix<const T> b, const T* bias,
             Matrix<T> c) {
  if (m == 0 || n == 0 || k == 0) return false;
  const cublas::Context context = cublas::context_of(d);
  auto* lt = reinterpret_cast<cublasLtHandle_t>(context.handle);  // a handle of cuBLAS may stand for one
  const cublasComputeType_t compute = cublas::compute_of<T>();

  cublasLtMatmulDesc_t made = nullptr;
  check(cublasLtMatmulDescCreate(&made, compute, CUDA_R_32F), "cublasLtMatmulDescCreate");
  const Description description(made);
  set(description, CUBLASLT_MATMUL_DESC_TRANSA, flag(b.transposed));
  set(description, CUBLASLT_MATMUL_DESC_TRANSB, flag(a.transposed));
  set(description, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
  set(description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  const Layout left = b.transposed ? layout<T>(k, n, b.ld) : layout<T>(n, k, b.ld),
               right = a.transposed ? layout<T>(m, k, a.ld) : layout<T>(k, m, a.ld),
               out = layout<T>(n, m, c.ld);

  static std::mutex mutex;
  std::lock_guard lock(mutex);
  const Key key = {d.index,
                   m,
                   n,
                   k,
                   a.ld,
                   b.ld,
                   c.ld,
                   2 * a.transposed + b.transposed,
                   compute,
                   type_of<T>,
                   alignment(a.data),
                   alignment(b.data),
                   alignment(c.data),
                   alignment(bias)};
  static std::map<Key, std::optional<cublasLtMatmulAlgo_t>> answers;
  constexpr std::size_t most = 4096;  // of sizes that change from batch to batch
  if (answers.size() >= most) answers.clear();
  auto answer = answers.find(key);
  if (answer == answers.end()) {
    cublasLtMatmulPreference_t preferred = nullptr;
    check(cublasLtMatmulPreferenceCreate(&preferred), "cublasLtMatmulPreferenceCreate");
    const Preference preference(preferred);
    set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, cublas::workspace_bytes);
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment(b.data));
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment(a.data));
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment(c.data));
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment(c.data));
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    const cublasStatus_t status =
        cublasLtMatmulAlgoGetHeuristic(lt, description.get(), left.get(), right.get(), out.get(), out.get(),
                                       preference.get(), 1, &found, &count);
    answer = answers.try_emplace(key).first;
    if (status == CUBLAS_STATUS_SUCCESS && count > 0 && found.state == CUBLAS_STATUS_SUCCESS)
      answer->second = found.algo;
  }
  if (!answer->second) return false;
  const float one = 1, none = 0;
  const cublasStatus_t status = cublasLtMatmul(
      lt, description.get(), &one, b.data, left.get(), a.data, right.get(), &none, c.data, out.get(), c.data,
      out.get(), &*answer->second, context.workspace, cublas::workspace_bytes, stream_of(d));
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) {
    answer->second.reset();
    return false;
  }
  check(status, "a matrix product with a bias");
  return true;
}

}  // namespace

bool gemm_with_bias(Cuda d, Index m, Index n, Index k, Matrix<const float> a, Matrix<const float> b,
                    const float* bias, Matrix<float> c) {
  return product(d, m, n, k, a, b, bias, c);
}
bool gemm_with_bias(Cuda d, Index m, Index n, Index k, Matrix<const bf16> a, Matrix<const bf16> b,
                    const bf16* bias, Matrix<bf16> c) {
  return product(d, m, n, k, a, b, bias, c);
}

}  // namespace fovea
