#include <cublasLt.h>

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "fovea/kernels/cublas.h"
#include "fovea/kernels/pointwise.h"

// cuBLASLt adds a bias and applies ReLU or GELU (the tanh one) on the way out, where the other interface
// would have us fill C with the bias first, and read and write all of it once more. It wants to be asked
// which of its kernels suits the sizes, which takes longer than a small product: answers are kept.

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

// What cuBLASLt calls an epilogue; the default one where it has none like it.
template <class T>
cublasLtEpilogue_t kind_of(const Epilogue<T>& e) {
  switch (e.activation) {
    case no_activation:
      return e.bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    case pointwise::id_of<pointwise::Relu>:
      return e.u ? CUBLASLT_EPILOGUE_DEFAULT : e.bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
    case pointwise::id_of<pointwise::GeluTanh>:
      if (e.u) return e.bias ? CUBLASLT_EPILOGUE_GELU_AUX_BIAS : CUBLASLT_EPILOGUE_GELU_AUX;
      return e.bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
    default:
      return CUBLASLT_EPILOGUE_DEFAULT;
  }
}

// How the sums of a product that is cut into parts may be added: as they are, not rounded to the result's
// type.
constexpr cublasLtReductionScheme_t sums_in_f32 = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;

// Everything that the choice of a kernel depends on.
using Key = std::array<Index, 16>;

template <class T>
bool product(Cuda d, Index m, Index n, Index k, Matrix<const T> a, Matrix<const T> b, const Epilogue<T>& e,
             Matrix<T> c) {
  const cublasLtEpilogue_t epilogue = kind_of(e);
  if (epilogue == CUBLASLT_EPILOGUE_DEFAULT || m == 0 || n == 0 || k == 0) return false;
  if (e.u && n % 8 != 0) return false;  // what cuBLASLt asks of the rows of u
  const cublas::Context context = cublas::context_of(d);
  auto* lt = reinterpret_cast<cublasLtHandle_t>(context.handle);  // a handle of cuBLAS may stand for one
  const cublasComputeType_t compute = cublas::compute_of<T>();

  cublasLtMatmulDesc_t made = nullptr;
  check(cublasLtMatmulDescCreate(&made, compute, CUDA_R_32F), "cublasLtMatmulDescCreate");
  const Description description(made);
  set(description, CUBLASLT_MATMUL_DESC_TRANSA, flag(b.transposed));
  set(description, CUBLASLT_MATMUL_DESC_TRANSB, flag(a.transposed));
  set(description, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
  if (e.bias) set(description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, e.bias);
  if (e.u) {
    set(description, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, e.u);
    set(description, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, n);
  }
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
                   epilogue,
                   alignment(a.data),
                   alignment(b.data),
                   alignment(c.data),
                   alignment(e.bias),
                   alignment(e.u)};
  static std::map<Key, std::optional<cublasLtMatmulAlgo_t>> answers;
  constexpr std::size_t most = 4096;  // of sizes that change from batch to batch
  if (answers.size() >= most) answers.clear();
  auto answer = answers.find(key);
  if (answer == answers.end()) {
    cublasLtMatmulPreference_t preferred = nullptr;
    check(cublasLtMatmulPreferenceCreate(&preferred), "cublasLtMatmulPreferenceCreate");
    const Preference preference(preferred);
    set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, cublas::workspace_bytes);
    set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, std::uint32_t{sums_in_f32});
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
  check(status, "a matrix product with an epilogue");
  return true;
}

}  // namespace

bool gemm_with(Cuda d, Index m, Index n, Index k, Matrix<const float> a, Matrix<const float> b,
               const Epilogue<float>& epilogue, Matrix<float> c) {
  return product(d, m, n, k, a, b, epilogue, c);
}
bool gemm_with(Cuda d, Index m, Index n, Index k, Matrix<const bf16> a, Matrix<const bf16> b,
               const Epilogue<bf16>& epilogue, Matrix<bf16> c) {
  return product(d, m, n, k, a, b, epilogue, c);
}

}  // namespace fovea
