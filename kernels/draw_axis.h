#ifndef FOVEA_KERNELS_DRAW_AXIS_H_
#define FOVEA_KERNELS_DRAW_AXIS_H_

#include <cstdint>

#include "fovea/kernels/draw_attention.h"

/// The formulas of the filters of one DRAW window, and what their gradient means for its five numbers, for
/// all devices.

namespace fovea::draw_filters {

// One axis of a window: n filters over `size` pixels.
template <class T>
struct Axis {
  T centre, stride, sharpness;
  Index n, size;

  constexpr T offset(Index i) const {
    return static_cast<T>(2 * i - (n - 1)) / 2;
  }  // of filter i, in strides
  // Filter i is the softmax of -(a - mu)^2 / (2 sigma^2) over the pixels a. With m the pixel nearest to mu
  // and d = a - m that is, but for a constant, -d (d + shift) / (2 sigma^2), shift = 2 (m - mu): never above
  // 0, and exact however far away mu is.
  struct Filter {
    T nearest, shift;
  };
  FOVEA_HD Filter filter(Index i) const {
    const T mu = centre + offset(i) * stride;
    const T nearest = math::min(math::max(std::floor(mu + T(0.5)), T(0)), static_cast<T>(size - 1));
    return {nearest, 2 * (nearest - mu)};
  }
};

template <class T>
constexpr Axis<T> x_axis(const DrawGeometry<T>& g, Index n, Index width) {
  return {g.x, g.stride, g.sharpness, n, width};
}
template <class T>
constexpr Axis<T> y_axis(const DrawGeometry<T>& g, Index n, Index height) {
  return {g.y, g.stride, g.sharpness, n, height};
}

template <class T>
constexpr T pixel(Index a) {
  return static_cast<T>(static_cast<std::int32_t>(a));
}

// What the filters' gradient means for the axis.
template <class T>
struct AxisGradient {
  T centre = 0, stride = 0, log_variance = 0;
  T scale = 0;  // of a common factor of all filters, at 1
};

// Puts the gradient of one window. `scale` is that of log gamma.
template <class T>
FOVEA_HD void put_window(const T* window, const DrawGeometry<T>& g, const AxisGradient<T>& x,
                         const AxisGradient<T>& y, T scale, Index height, Index width, T* to, bool add) {
  const auto inside = [](T logarithm) { return T(math::abs(logarithm) <= T(DrawGeometry<T>::limit)); };
  const T gradient[5] = {x.centre * (static_cast<T>(width + 1) / 2),
                         y.centre * (static_cast<T>(height + 1) / 2),
                         inside(window[2]) * (x.log_variance + y.log_variance),
                         inside(window[3]) * (x.stride + y.stride) * g.stride, inside(window[4]) * scale};
  for (int k = 0; k < 5; ++k) to[k] = add ? to[k] + gradient[k] : gradient[k];
}

}  // namespace fovea::draw_filters

#endif  // FOVEA_KERNELS_DRAW_AXIS_H_
