#ifndef FOVEA_KERNELS_SAMPLING_GRID_H_
#define FOVEA_KERNELS_SAMPLING_GRID_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// Where pixel i of n lies between -1 and 1.
template <class T>
constexpr T target_point(Index i, Index n, bool align_corners) {
  const Index span = align_corners ? n - 1 : n;
  return n == 1 ? 0 : static_cast<T>(2 * i + 1 - n) / static_cast<T>(span);
}

/// A row of target points (x,y), y fixed, under theta: its 6 or, when projective, 8 numbers.
template <bool projective, class T>
struct RowMap {
  static constexpr Index count = projective ? 8 : 6;
  const T* theta;
  T y;
  struct Point {
    T u, v, z;   // u and v are divided by z already
    bool inner;  // z is not held at its bound
  };
  constexpr Point operator()(T x) const {
    const T* a = theta;
    const T u = a[0] * x + (a[1] * y + a[2]), v = a[3] * x + (a[4] * y + a[5]);
    if constexpr (!projective) return {u, v, 1, true};
    constexpr T least = static_cast<T>(1e-6);
    T z = a[6] * x + (a[7] * y + 1);
    const bool near = (z > -least) & (z < least);
    z = near ? (z < 0 ? -least : least) : z;
    return {u / z, v / z, z, !near};
  }
};

/// points (B,H,W,2) = (u,v) / z for every target point (x,y), with u, v, z = theta (x,y,1): theta (B,8), or
/// (B,6), and then z = 1. All row-major.
void sampling_grid_forward(Cpu, const View& theta, bool align_corners, const View& points);
void sampling_grid_forward(Cuda, const View& theta, bool align_corners, const View& points);

/// dtheta (set or +=).
void sampling_grid_backward(Cpu, const View& theta, bool align_corners, const View& dpoints,
                            const Target& dtheta);
void sampling_grid_backward(Cuda, const View& theta, bool align_corners, const View& dpoints,
                            const Target& dtheta);

}  // namespace fovea

#endif  // FOVEA_KERNELS_SAMPLING_GRID_H_
