#ifndef FOVEA_KERNELS_PARALLEL_H_
#define FOVEA_KERNELS_PARALLEL_H_

#include <omp.h>

#include <algorithm>

#include "fovea/core/shape.h"

namespace fovea {

/// The least number of elements for which starting threads pays: cheap arithmetic, and loops over exp or
/// tanh.
inline constexpr Index cheap_grain = 131072, costly_grain = 16384;

/// Calls f(begin, end) over [0, n), split between threads when n * cost_per_item reaches `grain`. The test
/// stands around the region because `parallel if(...)` costs a third of a microsecond even when it does not
/// start threads.
template <class F>
void parallel_for(Index n, Index cost_per_item, Index grain, F&& f) {
  if (n < 2 || n * cost_per_item < grain || omp_in_parallel() || omp_get_max_threads() == 1) {
    if (n > 0) f(Index{0}, n);
    return;
  }
#pragma omp parallel
  {
    const Index threads = omp_get_num_threads(), me = omp_get_thread_num();
    const Index begin = n * me / threads, end = n * (me + 1) / threads;
    if (begin < end) f(begin, end);
  }
}

/// Calls part(row, begin, end) for every row of `rows`, whole or, where there is but one, in pieces. One call
/// in the source: `part` is inlined wherever it is called.
template <class R, class F>
void parallel_rows(const R& rows, Index grain, F&& part) {
  const bool whole = rows.count != 1;
  parallel_for(whole ? rows.count : rows.length, whole ? rows.length : 1, grain, [&](Index b, Index e) {
    for (Index r = whole ? b : 0; r < (whole ? e : 1); ++r) part(r, whole ? 0 : b, whole ? rows.length : e);
  });
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_PARALLEL_H_
