#ifndef FOVEA_KERNELS_SCRATCH_H_
#define FOVEA_KERNELS_SCRATCH_H_

#include "fovea/core/memory.h"
#include "fovea/kernels/parallel.h"

namespace fovea {

/// Room for n elements, not set, 64-byte-aligned, from the calling thread's pool; given back at the end of
/// the scope, on the same thread. Throws OutOfMemory.
template <class T>
class Scratch {
 public:
  explicit Scratch(Index n)
      : bytes_(static_cast<std::size_t>(n) * sizeof(T)),
        data_(static_cast<T*>(detail::pool_allocate(bytes_))) {}
  ~Scratch() { detail::pool_free(data_, detail::size_class_of(bytes_)); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  T* data() const { return data_; }
  T& operator[](Index i) const { return data_[i]; }

 private:
  std::size_t bytes_;
  T* data_;
};

/// Calls f(item, room) for the items 0 to n - 1, split between threads like parallel_for. `room` is
/// `elements` of scratch for each thread, allocated by the caller's: there running out of memory can be
/// reported.
template <class T, class F>
void parallel_with_scratch(Index n, Index cost_per_item, Index grain, Index elements, F&& f) {
  if (n == 0) return;
  const Index runs = std::min(n, threads_here());
  const Scratch<T> scratch(runs * elements);
  parallel_for(runs, n / runs * cost_per_item, grain, [&](Index begin, Index end) {
    for (Index run = begin; run < end; ++run)
      for (Index i = n * run / runs; i < n * (run + 1) / runs; ++i) f(i, scratch.data() + run * elements);
  });
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_SCRATCH_H_
