#ifndef FOVEA_KERNELS_PARALLEL_H_
#define FOVEA_KERNELS_PARALLEL_H_

#include <algorithm>

#include "fovea/core/shape.h"

namespace fovea {

/// The least number of elements for which starting threads pays: cheap arithmetic, and loops over exp or
/// tanh.
inline constexpr Index cheap_grain = 131072, costly_grain = 16384;

/// The threads that a loop can use which starts here: 1 inside another.
Index threads_here();

namespace detail {
using Range = void (*)(const void* f, Index begin, Index end);
void in_ranges(Index n, bool split, Range range, const void* f);
}  // namespace detail

/// Calls f(begin, end) over [0, n), split between threads when n * cost_per_item reaches `grain`. The call
/// goes through a pointer, so that the compiler makes the body once, and not once for threads and once
/// without.
template <class F>
void parallel_for(Index n, Index cost_per_item, Index grain, const F& f) {
  const auto range = [](const void* f, Index begin, Index end) { (*static_cast<const F*>(f))(begin, end); };
  detail::in_ranges(n, n > 1 && n * cost_per_item >= grain, range, &f);
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
