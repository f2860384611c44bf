#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <cstring>

#include "fovea/kernels/gemm.h"
#include "fovea/kernels/gemm_few_rows.h"

// Matrix products go to OpenBLAS, but for those of few rows. Vectors take gemv and ger, and small products
// one thread: starting a second one costs more than it saves.

namespace fovea {
namespace {

constexpr double one_thread_flop = 8e6;

// BLAS asks OpenMP how many threads it may use.
class Threads {
 public:
  explicit Threads(bool one) : before_(omp_get_max_threads()) {
    if (one && before_ > 1)
      omp_set_num_threads(1);
    else
      before_ = 0;
  }
  ~Threads() {
    if (before_) omp_set_num_threads(before_);
  }

 private:
  int before_;
};

CBLAS_TRANSPOSE flag(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

void blas_gemm(bool ta, bool tb, int m, int n, int k, const float* a, int lda, const float* b, int ldb,
               float beta, float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, flag(ta), flag(tb), m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}
void blas_gemm(bool ta, bool tb, int m, int n, int k, const double* a, int lda, const double* b, int ldb,
               double beta, double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, flag(ta), flag(tb), m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}
// y += op(A) x, A stored [rows, cols]
void blas_gemv(bool t, int rows, int cols, const float* a, int lda, const float* x, int step, float* y,
               int y_step) {
  cblas_sgemv(CblasRowMajor, flag(t), rows, cols, 1, a, lda, x, step, 1, y, y_step);
}
void blas_gemv(bool t, int rows, int cols, const double* a, int lda, const double* x, int step, double* y,
               int y_step) {
  cblas_dgemv(CblasRowMajor, flag(t), rows, cols, 1, a, lda, x, step, 1, y, y_step);
}

template <class T>
void product(Index m, Index n, Index k, Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Into into) {
  if (m == 0 || n == 0) return;
  const auto clear = [&] {
    if (into == Into::set)
      for (Index i = 0; i < m; ++i) std::fill(c.data + i * c.ld, c.data + i * c.ld + n, T(0));
  };
  if (k == 0) return clear();
  const bool small = 2.0 * static_cast<double>(m * n) * static_cast<double>(k) < one_thread_flop;
  if (small && !a.transposed && has_few_rows(m, n, k, b.transposed))
    return gemm_few_rows(m, n, k, a, b, c, into);
  const Threads threads(small || m == 1 || n == 1);
  const auto i32 = [](Index i) { return static_cast<int>(i); };
  if (k == 1) {  // outer product
    const Index as = a.transposed ? 1 : a.ld, bs = b.transposed ? b.ld : 1;
    for (Index i = 0; i < m; ++i) {
      const T x = a.data[i * as];
      T* row = c.data + i * c.ld;
      if (into == Into::set)
        for (Index j = 0; j < n; ++j) row[j] = x * b.data[j * bs];
      else
        for (Index j = 0; j < n; ++j) row[j] += x * b.data[j * bs];
    }
  } else if (m == 1) {  // c = a B, that is c^T = B^T a^T
    clear();
    const Index step = a.transposed ? a.ld : 1;
    if (b.transposed)
      blas_gemv(false, i32(n), i32(k), b.data, i32(b.ld), a.data, i32(step), c.data, 1);
    else
      blas_gemv(true, i32(k), i32(n), b.data, i32(b.ld), a.data, i32(step), c.data, 1);
  } else if (n == 1) {
    clear();
    const Index step = b.transposed ? 1 : b.ld;
    if (a.transposed)
      blas_gemv(true, i32(k), i32(m), a.data, i32(a.ld), b.data, i32(step), c.data, i32(c.ld));
    else
      blas_gemv(false, i32(m), i32(k), a.data, i32(a.ld), b.data, i32(step), c.data, i32(c.ld));
  } else {
    blas_gemm(a.transposed, b.transposed, i32(m), i32(n), i32(k), a.data, i32(a.ld), b.data, i32(b.ld),
              into == Into::add ? T(1) : T(0), c.data, i32(c.ld));
  }
}

}  // namespace

void gemm(Cpu, Index m, Index n, Index k, Matrix<const float> a, Matrix<const float> b, Matrix<float> c,
          Into into) {
  product(m, n, k, a, b, c, into);
}
void gemm(Cpu, Index m, Index n, Index k, Matrix<const double> a, Matrix<const double> b, Matrix<double> c,
          Into into) {
  product(m, n, k, a, b, c, into);
}

}  // namespace fovea
