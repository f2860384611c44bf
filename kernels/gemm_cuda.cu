#include <memory>
#include <mutex>
#include <vector>

#include "fovea/kernels/cublas.h"
#include "fovea/kernels/gemm_batched.h"

namespace fovea {

cublas::Context cublas::context_of(Cuda d) {
  static std::mutex mutex;
  static auto* contexts = new std::vector<Context>;
  std::lock_guard lock(mutex);
  const auto i = static_cast<std::size_t>(d.index);
  if (contexts->size() <= i) contexts->resize(i + 1);
  Context& c = (*contexts)[i];
  const cudaStream_t stream = stream_of(d);  // makes the device current, too, as cuBLAS wants it
  if (!c.handle) {
    check(cublasCreate(&c.handle), "cublasCreate");
    check(cublasSetStream(c.handle, stream), "cublasSetStream");
    // Sums of a product that is cut into parts would be rounded to bf16 before they are added.
    check(cublasSetMathMode(c.handle, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION), "cublasSetMathMode");
    c.workspace = detail::device_allocate(d, workspace_bytes);
    check(cublasSetWorkspace(c.handle, c.workspace, workspace_bytes), "cublasSetWorkspace");
  }
  return c;
}

namespace {

using cublas::flag, cublas::narrow, cublas::type_of;

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
  const Sum one = 1, old = into == Into::add ? Sum(1) : Sum(0);
  cublas::check(cublasGemmStridedBatchedEx(cublas::context_of(d).handle, flag(b.transposed),
                                           flag(a.transposed), narrow(n), narrow(m), narrow(k), &one, b.data,
                                           type_of<T>, narrow(b.ld), b_step, a.data, type_of<T>, narrow(a.ld),
                                           a_step, &old, c.data, type_of<Out>, narrow(c.ld), c_step,
                                           narrow(count), cublas::compute_of<T>(), CUBLAS_GEMM_DEFAULT),
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
