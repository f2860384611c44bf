#ifndef FOVEA_KERNELS_LOOPS_H_
#define FOVEA_KERNELS_LOOPS_H_

#include <algorithm>
#include <limits>
#include <vector>

#include "fovea/core/into.h"
#include "fovea/kernels/parallel.h"

/// The three loops that row kernels are made of, vectorised. `f` is called with 0 to n - 1 and is inlined. It
/// is taken by value, so that the compiler can keep what it captures in registers.

namespace fovea {

/// f(0) + ... + f(n - 1).
template <class T, class F>
inline T sum_of(Index n, F f) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Index k = 0; k < n; ++k) sum += f(k);
  return sum;
}

/// a . b. For short rows: OpenMP's reduction keeps its lanes in memory when it is inlined into a loop.
template <class T>
inline T dot(const T* a, const T* b, Index n) {
  constexpr Index lanes = 32 / sizeof(T);
  typedef T Lanes __attribute__((vector_size(32)));
  Lanes sums = {};
  Index k = 0;
  for (; k + lanes <= n; k += lanes) {
    Lanes x, y;
    __builtin_memcpy(&x, a + k, sizeof x);
    __builtin_memcpy(&y, b + k, sizeof y);
    sums += x * y;
  }
  T sum = 0;
  for (; k < n; ++k) sum += a[k] * b[k];
  for (Index i = 0; i < lanes; ++i) sum += sums[i];
  return sum;
}

/// The largest of f(0), ..., f(n - 1), NaN passed over; -inf when there is none.
template <class T, class F>
inline T max_of(Index n, F f) {
  T most = -std::numeric_limits<T>::infinity();
#pragma omp simd reduction(max : most)
  for (Index k = 0; k < n; ++k) {
    const T x = f(k);
    most = x > most ? x : most;
  }
  return most;
}

/// dx[k] = f(k) or dx[k] += f(k). What f reads must not overlap dx, but may be dx[k] itself.
template <class T, class F>
inline void store(T* dx, Index n, Into into, F f) {
  if (into == Into::add) {
#pragma GCC ivdep
    for (Index k = 0; k < n; ++k) dx[k] += f(k);
  } else {
#pragma GCC ivdep
    for (Index k = 0; k < n; ++k) dx[k] = f(k);
  }
}

/// The sum over many elements: in pieces of fixed size, so that it does not depend on the number of threads,
/// and between pieces in double. `f` as above, but called from several threads.
template <class T, class F>
double sum_of_many(Index n, Index grain, F f) {
  static constexpr Index piece = 4096;
  const auto part = [n, f](Index p) {
    const Index begin = p * piece;
    return static_cast<double>(
        sum_of<T>(std::min(piece, n - begin), [begin, f](Index k) { return f(begin + k); }));
  };
  if (n <= piece) return part(0);
  const Index pieces = (n + piece - 1) / piece;
  std::vector<double> sums(static_cast<std::size_t>(pieces));
  parallel_for(pieces, piece, grain, [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p) sums[static_cast<std::size_t>(p)] = part(p);
  });
  double sum = 0;
  for (double s : sums) sum += s;
  return sum;
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_LOOPS_H_
