#ifndef FOVEA_KERNELS_GEMM_FEW_ROWS_H_
#define FOVEA_KERNELS_GEMM_FEW_ROWS_H_

#include <algorithm>

#include "fovea/kernels/gemm.h"
#include "fovea/kernels/scratch.h"
#include "fovea/kernels/tile.h"

/// Products whose left side has few rows: a step of a recurrent network on a small batch. BLAS copies all of
/// B into the order in which its kernel reads it, which then takes as long as the product. Here the few rows
/// are copied instead: C^T = B^T A^T, with the rows of A side by side in vectors, and B is read where it
/// lies.

namespace fovea {
namespace detail {

// As wide as the machine's registers, and as many sums as they hold.
#ifdef __AVX512F__
constexpr int wide_bytes = 64, wide_sums = 24;
#else
constexpr int wide_bytes = 32, wide_sums = 12;
#endif

template <class T>
struct Wide {
  static constexpr int count = wide_bytes / sizeof(T);
  typedef T Vector __attribute__((vector_size(wide_bytes)));
  typedef T Unaligned __attribute__((vector_size(wide_bytes), aligned(alignof(T)), may_alias));
};

// out[r][.] = sum over t < terms of b(t, r) a[t][.] for R columns r of B and V vectors of rows of A.
template <class T, int R, int V, bool transposed>
void column_sums(const T* b, Index b_ld, const T* a, Index a_ld, Index terms, T* out, Index out_ld) {
  using W = Wide<T>;
  typename W::Vector sum[R][V] = {};
  for (Index t = 0; t < terms; ++t) {
    typename W::Vector row[V];
    for (int v = 0; v < V; ++v)
      row[v] = *reinterpret_cast<const typename W::Unaligned*>(a + t * a_ld + v * W::count);
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < V; ++v) sum[r][v] += (transposed ? b[r * b_ld + t] : b[t * b_ld + r]) * row[v];
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v)
      *reinterpret_cast<typename W::Unaligned*>(out + r * out_ld + v * W::count) = sum[r][v];
}

template <class T, int R, int V, bool transposed>
void all_column_sums(Index columns, const T* b, Index b_ld, const T* a, Index a_ld, Index terms, T* out) {
  const Index step = transposed ? b_ld : 1;
  Index j = 0;
  for (; j + R <= columns; j += R)
    column_sums<T, R, V, transposed>(b + j * step, b_ld, a, a_ld, terms, out + j * a_ld, a_ld);
  if constexpr (R > 1)
    if (j < columns)
      all_column_sums<T, (R > 6 ? R / 2 : R - 1), V, transposed>(columns - j, b + j * step, b_ld, a, a_ld,
                                                                 terms, out + j * a_ld);
}

}  // namespace detail

/// Whether gemm_few_rows() is the faster way, as measured with AVX2: with more rows OpenBLAS catches up,
/// earlier where B is read down its columns.
inline bool has_few_rows(Index m, Index n, Index k, bool b_transposed) {
  return m >= (b_transposed ? 2 : 5) && m <= (b_transposed ? 64 : 32) && n >= 16 && k >= 16;
}

/// C [m,n] = A [m,k] B [k,n], or += with Into::add; A is not transposed, and m is small.
template <class T>
void gemm_few_rows(Index m, Index n, Index k, Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Into into) {
  constexpr Index lanes = detail::Wide<T>::count, block = 48;
  const Index width = (m + lanes - 1) / lanes * lanes;
  const Scratch<T> rows(k * width + 2 * block * width);
  T *columns = rows.data() + k * width, *turned = columns + block * width;
  transpose(a.data, a.ld, rows.data(), width, m, k, false, true);
  if (width > (m + Lanes<T>::count - 1) / Lanes<T>::count * Lanes<T>::count)  // what transpose() left unset
    for (Index t = 0; t < k; ++t)
      std::fill_n(rows.data() + t * width + width - Lanes<T>::count, Lanes<T>::count, T(0));
  for (Index j = 0; j < n; j += block) {
    const Index some = std::min(block, n - j);
    const T* from = b.data + j * (b.transposed ? b.ld : 1);
    for (Index lane = 0; lane < width;) {
      const auto sums = [&]<int V, bool transposed>() {
        detail::all_column_sums<T, detail::wide_sums / V, V, transposed>(some, from, b.ld, rows.data() + lane,
                                                                         width, k, columns + lane);
        lane += V * lanes;
      };
      const bool two = lane + 2 * lanes <= width;
      if (two && b.transposed)
        sums.template operator()<2, true>();
      else if (two)
        sums.template operator()<2, false>();
      else if (b.transposed)
        sums.template operator()<1, true>();
      else
        sums.template operator()<1, false>();
    }
    T* to = c.data + j;
    if (into == Into::set) {
      transpose(columns, width, to, c.ld, some, m, true, false);
    } else {
      transpose(columns, width, turned, block, some, m, true, false);
      for (Index i = 0; i < m; ++i)
        for (Index l = 0; l < some; ++l) to[i * c.ld + l] += turned[i * block + l];
    }
  }
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_GEMM_FEW_ROWS_H_
