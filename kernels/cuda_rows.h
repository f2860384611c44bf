#ifndef FOVEA_KERNELS_CUDA_ROWS_H_
#define FOVEA_KERNELS_CUDA_ROWS_H_

#include "fovea/kernels/cuda_packs.h"
#include "fovea/kernels/cuda_team.h"

/// Rows that a team goes through several times: read once, by packs, and kept in registers.

namespace fovea {

/// What a team's threads take of a row: packs of n elements, at most `held` for each thread, so that they
/// stay in its registers; or any number of them (held = 0), which are read again every time and then come
/// from the cache.
template <int n, int held, int threads>
class RowPacks {
 public:
  struct Place {
    int number;  // of this thread's packs
    Index at;    // its first element in the row
  };

  __device__ RowPacks(const Team<threads>& team, Index length) : team_(team), length_(length) {}

  /// Calls f(place) for every pack that is this thread's.
  template <class F>
  __device__ void each(F f) const {
    if constexpr (held == 0) {
      for (Index k = Index(team_.lane) * n; k < length_; k += threads * n) f(Place{0, k});
    } else {
#pragma unroll
      for (int i = 0; i < held; ++i) {
        const Index k = (Index(i) * threads + team_.lane) * n;
        if (k < length_) f(Place{i, k});
      }
    }
  }

  /// The packs f(place), as `kept[place]`: kept in registers, or made anew every time.
  template <class F>
  class Kept {
   public:
    using P = std::invoke_result_t<F, Place>;
    __device__ Kept(const RowPacks& packs, F f) : f_(f) {
      if constexpr (held > 0) packs.each([&](Place p) { x_[p.number] = f_(p); });
    }
    __device__ P operator[](Place p) const {
      if constexpr (held > 0)
        return x_[p.number];
      else
        return f_(p);
    }

   private:
    F f_;
    P x_[held > 0 ? held : 1];
  };
  template <class F>
  __device__ Kept<F> keep(F f) const {
    return {*this, f};
  }

  /// A row's packs as numbers of type C: `row[place]`.
  template <class C, class T>
  __device__ auto row(const T* from) const {
    return keep([from](Place p) { return load_pack<C, n>(from + p.at); });
  }

  /// The sum of f(place) over the row, in every thread.
  template <class C, class F>
  __device__ C sum(F f) const {
    C total = 0;
    each([&](Place p) { total += f(p); });
    return team_.all(total, [](C a, C b) { return a + b; });
  }

  /// The sum of all elements of the packs f(place).
  template <class C, class F>
  __device__ C sum_of(F f) const {
    return sum<C>([&](Place p) {
      const auto x = f(p);
      C total = 0;
#pragma unroll
      for (int k = 0; k < n; ++k) total += x[k];
      return total;
    });
  }

  /// The largest element of the packs f(place), NaN passed over; -inf when there is none.
  template <class C, class F>
  __device__ C max_of(F f) const {
    C most = -std::numeric_limits<C>::infinity();
    each([&](Place p) {
      const auto x = f(p);
#pragma unroll
      for (int k = 0; k < n; ++k) most = x[k] > most ? x[k] : most;
    });
    return team_.all(most, [](C a, C b) { return a > b ? a : b; });
  }

 private:
  const Team<threads>& team_;
  Index length_;
};

template <int n, int held, int threads>
__device__ RowPacks<n, held, threads> packs_of(const Team<threads>& team, Index length) {
  return {team, length};
}

/// Calls f<n, held>() with how rows of type T should be taken by the teams of each_row(): by packs in
/// registers where there are such and a thread gets no more than 32 elements, so that two rows can be held;
/// else, and in f64, which nobody waits for, element by element.
template <class T, class F>
void by_packs(Index length, bool aligned, F f) {
  if constexpr (!std::is_same_v<T, double>) {
    constexpr int n = pack_size<T>;
    const Index threads = row_threads(length), most = (length + threads - 1) / threads;
    if (aligned && length % n == 0 && most <= 32) {
      // No more registers than are needed leave more threads, and so more on its way from memory.
      if (most <= 8) return f.template operator()<n, 8 / n>();
      if (most <= 16) return f.template operator()<n, 16 / n>();
      return f.template operator()<n, 32 / n>();
    }
  }
  f.template operator()<1, 0>();
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_CUDA_ROWS_H_
