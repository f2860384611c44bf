#ifndef FOVEA_KERNELS_GRID_SAMPLE_TERMS_H_
#define FOVEA_KERNELS_GRID_SAMPLE_TERMS_H_

#include <cstdint>

#include "fovea/kernels/grid_sample.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {

/// x held between two bounds; NaN stays.
template <class T>
constexpr T clamp(T x, T low, T high) {
  const T above = x < low ? low : x;
  return above > high ? high : above;
}

/// Where points lie in one dimension, for all devices: a coordinate is limited, made into a pixel and that
/// into taps, the pixels before and after it (or only the nearest one).
template <int taps, class T>
struct SampleAxis {
  T scale, center, low, high;
  std::int32_t last;

  SampleAxis(Index pixels, SampleRule rule)
      : scale(static_cast<T>(rule.align_corners ? pixels - 1 : pixels) / 2),
        center(static_cast<T>(pixels - 1) / 2),
        low(rule.border ? 0 : -2),
        high(static_cast<T>(rule.border ? pixels - 1 : pixels + 1)),
        last(static_cast<std::int32_t>(pixels - 1)) {}

  /// Beyond +-4 all is outside an image of any size, and infinity times 0 would be NaN.
  constexpr T limited(T x) const { return clamp(x, T(-4), T(4)); }
  constexpr T pixel(T limited) const { return clamp(limited * scale + center, low, high); }

  /// Calls put(t, pixel, weight, slope) for every tap: a pixel inside the image; its weight, which is 0 for
  /// one that was outside; and the slope of the weight with respect to the coordinate.
  template <class Put>
  FOVEA_HD void take(T p, Put put) const {
    const T rise = (p > low) & (p < high) ? scale : 0;
    const T number = p == p ? p : 0;
    const T first = taps == 2 ? std::floor(number) : std::nearbyint(number);
    const T part = p - first;  // NaN if p is
    const auto i = static_cast<std::int32_t>(first);
    for (int t = 0; t < taps; ++t) {
      const std::int32_t j = i + t, inside = clamp(j, 0, last);
      const T counts = j == inside ? 1 : 0, share = taps == 1 ? part * 0 + 1 : t == 0 ? 1 - part : part;
      put(t, inside, counts * share, counts * (part * 0 + (taps == 1 ? 0 : t == 0 ? -rise : rise)));
    }
  }
};

}  // namespace fovea

#endif  // FOVEA_KERNELS_GRID_SAMPLE_TERMS_H_
