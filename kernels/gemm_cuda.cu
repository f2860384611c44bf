#include <cublas_v2.h>

#include <memory>
#include <mutex>
#include <vector>

#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/gemm_batched.h"

// Every product goes to cuBLAS, whose matrices are column-major: what is row-major here is the transpose
// there, so C = A B is asked for as C^T = B^T A^T with the operands exchanged.

namespace fovea {
namespace {

constexpr std::size_t workspace_bytes = 32 << 20;  // what cuBLAS wants on Hopper

void check(cublasStatus_t status, const char* what) {
  require(status == CUBLAS_STATUS_SUCCESS, "cublas", what, " failed: ", cublasGetStatusString(status));
}

// A handle for each device. Its workspace is ours, so that products in a captured step need no memory of
// their own.
cublasHandle_t handle_of(Cuda d) {
  static std::mutex mutex;
  static auto* handles = new std::vector<cublasHandle_t>;
  std::lock_guard lock(mutex);
  const auto i = static_cast<std::size_t>(d.index);
  if (handles->size() <= i) handles->resize(i + 1);
  cublasHandle_t& handle = (*handles)[i];
  if (!handle) {
    const cudaStream_t stream = stream_of(d);
    check(cublasCreate(&handle), "cublasCreate");
    check(cublasSetStream(handle, stream), "cublasSetStream");
    check(cublasSetWorkspace(handle, detail::device_allocate(d, workspace_bytes), workspace_bytes),
          "cublasSetWorkspace");
  }
  return handle;
}

cublasOperation_t flag(bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; }
int narrow(Index n) {
  require(n <= std::numeric_limits<int>::max(), "gemm", "a size of ", n, " is more than cuBLAS takes");
  return static_cast<int>(n);
}

template <class T>
constexpr cudaDataType type_of = std::is_same_v<T, double>  ? CUDA_R_64F
                                 : std::is_same_v<T, float> ? CUDA_R_32F
                                                            : CUDA_R_16BF;

template <class T>
void clear(Cuda d, Index m, Index n, Matrix<T> c, Index step, Index count) {
  each(d, count * m * n,
       [=] __device__(Index i) { c.data[i / (m * n) * step + i / n % m * c.ld + i % n] = T(0.f); });
}

// Sums are f32, or f64 of f64.
template <class T, class Out>
void product(Cuda d, Index m, Index n, Index k, Matrix<const T> a, Index a_step, Matrix<const T> b,
             Index b_step, Matrix<Out> c, Index c_step, Index count, Into into) {
  if (m == 0 || n == 0 || count == 0) return;
  if (k == 0) {
    if (into == Into::set) clear(d, m, n, c, c_step, count);
    return;
  }
  using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;
  constexpr bool wide = std::is_same_v<T, double>, may_round = std::is_same_v<T, float>;
  const cublasComputeType_t compute = wide                        ? CUBLAS_COMPUTE_64F
                                      : may_round && detail::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                                                  : CUBLAS_COMPUTE_32F;
  const Sum one = 1, old = into == Into::add ? Sum(1) : Sum(0);
  check(cublasGemmStridedBatchedEx(handle_of(d), flag(b.transposed), flag(a.transposed), narrow(n), narrow(m),
                                   narrow(k), &one, b.data, type_of<T>, narrow(b.ld), b_step, a.data,
                                   type_of<T>, narrow(a.ld), a_step, &old, c.data, type_of<Out>, narrow(c.ld),
                                   c_step, narrow(count), compute, CUBLAS_GEMM_DEFAULT),
        "a matrix product");
}

}  // namespace

void gemm(Cuda d, Index m, Index n, Index k, Matrix<const float> a, Matrix<const float> b, Matrix<float> c,
          Into into) {
  product(d, m, n, k, a, 0, b, 0, c, 0, 1, into);
}
void gemm(Cuda d, Index m, Index n, Index k, Matrix<const double> a, Matrix<const double> b, Matrix<double> c,
          Into into) {
  product(d, m, n, k, a, 0, b, 0, c, 0, 1, into);
}
void gemm(Cuda d, Index m, Index n, Index k, Matrix<const bf16> a, Matrix<const bf16> b, Matrix<bf16> c,
          Into into) {
  product(d, m, n, k, a, 0, b, 0, c, 0, 1, into);
}
void gemm(Cuda d, Index m, Index n, Index k, Matrix<const bf16> a, Matrix<const bf16> b, Matrix<float> c,
          Into into) {
  product(d, m, n, k, a, 0, b, 0, c, 0, 1, into);
}
void gemm_batched(Cuda d, Index m, Index n, Index k, Batch<const float> a, Batch<const float> b,
                  Batch<float> c, Index count, Into into) {
  product(d, m, n, k, a.first, a.step, b.first, b.step, c.first, c.step, count, into);
}
void gemm_batched(Cuda d, Index m, Index n, Index k, Batch<const double> a, Batch<const double> b,
                  Batch<double> c, Index count, Into into) {
  product(d, m, n, k, a.first, a.step, b.first, b.step, c.first, c.step, count, into);
}

}  // namespace fovea
