#include "fovea/kernels/parallel.h"

#include <omp.h>

namespace fovea {

Index threads_here() { return omp_in_parallel() ? 1 : omp_get_max_threads(); }

namespace detail {

// The test stands around the region because `parallel if(...)` costs a third of a microsecond even when it
// does not start threads.
void in_ranges(Index n, bool split, Range range, const void* f) {
  if (!split || threads_here() == 1) {
    if (n > 0) range(f, 0, n);
    return;
  }
#pragma omp parallel
  {
    const Index threads = omp_get_num_threads(), me = omp_get_thread_num();
    const Index begin = n * me / threads, end = n * (me + 1) / threads;
    if (begin < end) range(f, begin, end);
  }
}

}  // namespace detail
}  // namespace fovea
