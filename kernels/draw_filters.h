#ifndef FOVEA_KERNELS_DRAW_FILTERS_H_
#define FOVEA_KERNELS_DRAW_FILTERS_H_

#include <cmath>

#include "fovea/kernels/draw_attention.h"
#include "fovea/kernels/loops.h"

/// The filters of one DRAW window, and what their gradient means for its five numbers.

namespace fovea::draw_filters {

// One axis of a window: n filters over `size` pixels.
template <class T>
struct Axis {
  T centre, stride, sharpness;
  Index n, size;

  T offset(Index i) const { return static_cast<T>(2 * i - (n - 1)) / 2; }  // of filter i, in strides
  // Filter i is the softmax of -(a - mu)^2 / (2 sigma^2) over the pixels a. With m the pixel nearest to mu
  // and d = a - m that is, but for a constant, -d (d + shift) / (2 sigma^2), shift = 2 (m - mu): never above
  // 0, and exact however far away mu is.
  struct Filter {
    T nearest, shift;
  };
  Filter filter(Index i) const {
    const T mu = centre + offset(i) * stride;
    const T nearest = math::min(math::max(std::floor(mu + T(0.5)), T(0)), static_cast<T>(size - 1));
    return {nearest, 2 * (nearest - mu)};
  }
};

template <class T>
Axis<T> x_axis(const DrawGeometry<T>& g, Index n, Index width) {
  return {g.x, g.stride, g.sharpness, n, width};
}
template <class T>
Axis<T> y_axis(const DrawGeometry<T>& g, Index n, Index height) {
  return {g.y, g.stride, g.sharpness, n, height};
}

template <class T>
T pixel(Index a) {
  return static_cast<T>(static_cast<std::int32_t>(a));
}

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

// What the filters' gradient means for the axis.
template <class T>
struct AxisGradient {
  T centre = 0, stride = 0, log_variance = 0;
  T scale = 0;  // of a common factor of all filters, at 1
};

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

// Puts the gradient of one window. `scale` is that of log gamma.
template <class T>
void put_window(const T* window, const DrawGeometry<T>& g, const AxisGradient<T>& x, const AxisGradient<T>& y,
                T scale, Index height, Index width, Target to, Index b) {
  const auto inside = [](T logarithm) { return T(std::fabs(logarithm) <= T(DrawGeometry<T>::limit)); };
  const T gradient[5] = {x.centre * (static_cast<T>(width + 1) / 2),
                         y.centre * (static_cast<T>(height + 1) / 2),
                         inside(window[2]) * (x.log_variance + y.log_variance),
                         inside(window[3]) * (x.stride + y.stride) * g.stride, inside(window[4]) * scale};
  store(to.as<T>() + b * 5, 5, to.into, [&](Index k) { return gradient[k]; });
}

}  // namespace fovea::draw_filters

#endif  // FOVEA_KERNELS_DRAW_FILTERS_H_
