#ifndef FOVEA_KERNELS_CUDA_TEAM_H_
#define FOVEA_KERNELS_CUDA_TEAM_H_

#include <limits>

#include "fovea/kernels/cuda_launch.h"

/// Threads that work on one row together: what sum_of, max_of and store of loops.h are on the CPU.

namespace fovea {

inline constexpr unsigned all_lanes = 0xffffffffu;

/// A warp, a whole block of several, or one thread alone. Every thread of it must make the same calls in the
/// same order.
template <int threads>
class Team {
 public:
  static_assert(threads == 1 || threads % 32 == 0);
  __device__ Team() : lane(static_cast<int>(threadIdx.x) % threads) {}

  /// Calls f(k) for k from 0 to n - 1, neighbouring k in neighbouring threads.
  template <class F>
  __device__ void each(Index n, F f) const {
    for (Index k = lane; k < n; k += threads) f(k);
  }

  /// f(0) + ... + f(n - 1), in every thread; the same bits every time.
  template <class T, class F>
  __device__ T sum(Index n, F f) const {
    T x = 0;
    each(n, [&](Index k) { x += f(k); });
    return all(x, [](T a, T b) { return a + b; });
  }

  /// The largest of f(0), ..., f(n - 1), NaN passed over; -inf when there is none.
  template <class T, class F>
  __device__ T max(Index n, F f) const {
    T most = -std::numeric_limits<T>::infinity();
    each(n, [&](Index k) {
      const T x = f(k);
      most = x > most ? x : most;
    });
    return all(most, [](T a, T b) { return a > b ? a : b; });
  }

  /// One value of every thread combined into one, which all threads get. `combine` is commutative.
  template <class T, class C>
  __device__ T all(T x, C combine) const {
    if constexpr (threads > 1)
      for (int m = 16; m > 0; m /= 2) x = combine(x, __shfl_xor_sync(all_lanes, x, m));
    if constexpr (threads > 32) {
      constexpr int warps = threads / 32;
      __shared__ T parts[warps];
      if (lane % 32 == 0) parts[lane / 32] = x;
      __syncthreads();
      x = parts[0];
      for (int i = 1; i < warps; ++i) x = combine(x, parts[i]);
      __syncthreads();  // before the next call writes to `parts`
    }
    return x;
  }

  /// Waits for all threads, so that what one has written others may read.
  __device__ void wait() const {
    if constexpr (threads > 32)
      __syncthreads();
    else if constexpr (threads > 1)
      __syncwarp(all_lanes);
  }

  int lane;
};

/// Calls f(i, row, c) for this thread's of the places i from begin to end - 1 in rows of `length`, neighbours
/// in neighbouring threads: one division finds the first, the others follow from it. `unrolled` at a time.
template <int unrolled = 4, int threads, class F>
__device__ void walk(const Team<threads>& team, Index rows, Index length, Index begin, Index end, F f) {
  const Index first = begin + team.lane, whole = rows == 1 ? 0 : threads / length;
  Index r = rows == 1 ? 0 : first / length, c = first - r * length;
  const Index further = threads - whole * length;
#pragma unroll unrolled
  for (Index i = first; i < end; i += threads) {
    f(i, r, c);
    r += whole;
    c += further;
    if (rows > 1 && c >= length) {
      ++r;
      c -= length;
    }
  }
}

namespace detail {
template <int threads, class F>
__global__ void __launch_bounds__(threads < block_threads ? block_threads : threads)
    run_rows(Index rows, F f) {
  constexpr int teams = threads < block_threads ? block_threads / threads : 1;
  const Team<threads> team;
  for (Index r = Index(blockIdx.x) * teams + threadIdx.x / threads; r < rows; r += Index(gridDim.x) * teams)
    f(team, r);
}

template <int threads, class F>
void launch_rows(Cuda d, Index rows, F f) {
  constexpr int teams = threads < block_threads ? block_threads / threads : 1;
  const Index blocks = std::min((rows + teams - 1) / teams, most_blocks);
  launch(d, run_rows<threads, F>, dim3(static_cast<unsigned>(blocks)), teams * threads, 0, rows, f);
}
}  // namespace detail

/// The threads of a team that suits rows of n elements.
constexpr int row_threads(Index n) { return n <= 1024 ? 32 : 512; }

/// Calls f(team, r) for every row, with a team that suits rows of n elements:
/// `each_row(d, rows, n, [=] __device__(const auto& team, Index r) { ... })`.
template <class F>
void each_row(Cuda d, Index rows, Index n, F f) {
  if (rows == 0) return;
  if (row_threads(n) == 32)
    detail::launch_rows<32>(d, rows, f);
  else
    detail::launch_rows<512>(d, rows, f);
}

/// The same with a warp for each row, however long: for what exchanges values between its lanes.
template <class F>
void each_warp(Cuda d, Index rows, F f) {
  if (rows > 0) detail::launch_rows<32>(d, rows, f);
}

/// The same with a team of one thread for each row: for columns, whose neighbours lie side by side.
template <class F>
void each_column(Cuda d, Index columns, F f) {
  each(d, columns, [=] __device__(Index r) { f(Team<1>(), r); });
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_CUDA_TEAM_H_
