#ifndef FOVEA_KERNELS_CUDA_PLACES_H_
#define FOVEA_KERNELS_CUDA_PLACES_H_

#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/rows.h"

namespace fovea {

/// Calls f(at) for every element of a broadcast shape, where at[i] is the element's place in operand i:
/// `each_place(d, Rows<2>(shape, {&x.strides, &y.strides}), [=] __device__(const Places<2>& at) { ... })`.
template <int N>
using Places = std::array<Index, N>;
template <int N, class F>
void each_place(Cuda d, const Rows<N>& rows, F f) {
  each(d, rows.count * rows.length, [=] __device__(Index i) {
    const Index r = rows.count == 1 ? 0 : i / rows.length, k = i - r * rows.length;
    Places<N> at{};
    for (std::size_t n = 0; n < N; ++n) at[n] = (r == 0 ? 0 : rows.offset(n, r)) + k * rows.step[n];
    f(at);
  });
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_CUDA_PLACES_H_
