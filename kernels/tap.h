#ifndef FOVEA_KERNELS_TAP_H_
#define FOVEA_KERNELS_TAP_H_

namespace fovea {

/// weight * value, for sums over pixels: a pixel of weight 0 does not count, not even when it is inf or NaN.
template <class T>
constexpr T tap(T weight, T value) {
  return weight != 0 ? weight * value : T(0);
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_TAP_H_
