#ifndef FOVEA_KERNELS_CUDA_SUMS_H_
#define FOVEA_KERNELS_CUDA_SUMS_H_

#include <array>

#include "fovea/kernels/cuda_team.h"

/// Sums of more than one team, or one thread a column, should make alone: cut into slabs, whose sums are then
/// added. How they are cut depends on sizes only and no sum is atomic, so the same bits come out every time.

namespace fovea {

inline constexpr Index enough_threads = 1 << 17;

/// How many slabs make `tasks`, counted in threads, enough work, when each slab has at least `least` of
/// `elements`.
inline Index slabs_for(Index tasks, Index elements, Index least) {
  tasks = std::max<Index>(tasks, 1);
  return std::max<Index>(1, std::min((enough_threads + tasks - 1) / tasks, elements / least));
}

/// Calls finish(f(0) + ... + f(n - 1)) in one thread. The sum is a double. One kernel: the team that is done
/// last, whichever it is, adds the sums of all.
template <class F, class G>
void sum_all(Cuda d, Index n, F f, G finish) {
  const Index slabs = slabs_for(512, n, 4096);
  const DeviceScratch<double> room(d, slabs > 1 ? slabs : 0);
  volatile double* partial = room.data();
  unsigned* done = detail::cuda_count(d);
  each_row(d, slabs, n / slabs, [=] __device__(const auto& team, Index slab) {
    const Index begin = n * slab / slabs, end = n * (slab + 1) / slabs;
    const double own =
        team.template sum<double>(end - begin, [&](Index k) { return static_cast<double>(f(begin + k)); });
    if (slabs == 1) {
      if (team.lane == 0) finish(own);
      return;
    }
    unsigned before = 0;
    if (team.lane == 0) {
      partial[slab] = own;
      __threadfence();  // others see it before they see that it is counted
      before = atomicAdd(done, 1u);
    }
    before = team.all(before, [](unsigned a, unsigned b) { return a > b ? a : b; });
    if (before + 1 < static_cast<unsigned>(slabs)) return;
    __threadfence();
    const double all = team.template sum<double>(slabs, [&](Index k) { return partial[k]; });
    if (team.lane != 0) return;
    *done = 0;
    finish(all);
  });
}

/// Calls finish(c, sums), each in one thread, for every column c: sums[i] is the i-th of f(r, c), an
/// std::array of N, summed over the rows r in double.
template <int N, class F, class G>
void sum_columns(Cuda d, Index rows, Index columns, F f, G finish) {
  const Index slabs = slabs_for(columns, rows, 32);
  const DeviceScratch<double> room(d, slabs > 1 ? columns * slabs * N : 0);
  double* partial = room.data();
  each(d, columns * slabs, [=] __device__(Index i) {
    const Index slab = i / columns, c = i - slab * columns;
    std::array<double, N> sums{};
    for (Index r = rows * slab / slabs; r < rows * (slab + 1) / slabs; ++r) {
      const auto x = f(r, c);
#pragma unroll
      for (std::size_t n = 0; n < N; ++n) sums[n] += static_cast<double>(x[n]);
    }
    if (slabs == 1) return finish(c, sums);
    for (std::size_t n = 0; n < N; ++n)
      partial[(static_cast<Index>(n) * columns + c) * slabs + slab] = sums[n];
  });
  if (slabs == 1) return;
  each_row(d, columns, slabs, [=] __device__(const auto& team, Index c) {
    std::array<double, N> sums{};
    team.each(slabs, [&](Index k) {  // all sums of a column side by side: none waits for another's memory
#pragma unroll
      for (std::size_t n = 0; n < N; ++n)
        sums[n] += partial[(static_cast<Index>(n) * columns + c) * slabs + k];
    });
#pragma unroll
    for (std::size_t n = 0; n < N; ++n) sums[n] = team.all(sums[n], [](double a, double b) { return a + b; });
    if (team.lane == 0) finish(c, sums);
  });
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_CUDA_SUMS_H_
