#ifndef FOVEA_KERNELS_DRAW_FILTERS_H_
#define FOVEA_KERNELS_DRAW_FILTERS_H_

#include "fovea/kernels/draw_axis.h"
#include "fovea/kernels/loops.h"

/// The filters of one DRAW window and their gradient, in vectorised loops.

namespace fovea::draw_filters {

template <class T>
void make_filters(const Axis<T>& axis, T* filters) {
  const Index size = axis.size;
  for (Index i = 0; i < axis.n; ++i) {
    const auto [nearest, shift] = axis.filter(i);
    store(filters + i * size, size, Into::set,
          [=, shift = shift, nearest = nearest, k = axis.sharpness](Index a) {
            const T d = pixel<T>(a) - nearest;
            return -d * (d + shift) * k;
          });
  }
  store(filters, axis.n * size, Into::set, [=](Index k) { return math::exp(filters[k]); });
  for (Index i = 0; i < axis.n; ++i) {
    T* f = filters + i * size;
    const T inverse = 1 / sum_of<T>(size, [=](Index a) { return f[a]; });
    store(f, size, Into::set, [=](Index a) { return f[a] * inverse; });
  }
}

template <class T>
AxisGradient<T> filters_gradient(const Axis<T>& axis, const T* filters, const T* gradients) {
  AxisGradient<T> g;
  for (Index i = 0; i < axis.n; ++i) {
    const auto [nearest, shift] = axis.filter(i);
    const T *f = filters + i * axis.size, *df = gradients + i * axis.size;
    const T mean = sum_of<T>(axis.size, [=](Index a) { return f[a] * df[a]; });
    T first = 0, second = 0;  // sums over the exponents' gradients times d and d (d + shift)
#pragma omp simd reduction(+ : first, second)
    for (Index a = 0; a < axis.size; ++a) {
      const T d = pixel<T>(a) - nearest, moment = f[a] * (df[a] - mean) * d;
      first += moment;
      second += moment * (d + shift);
    }
    const T dmu = 2 * axis.sharpness * first;
    g.centre += dmu;
    g.stride += dmu * axis.offset(i);
    g.log_variance += axis.sharpness * second;
    g.scale += mean;
  }
  return g;
}

}  // namespace fovea::draw_filters

#endif  // FOVEA_KERNELS_DRAW_FILTERS_H_
