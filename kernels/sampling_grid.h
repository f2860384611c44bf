#ifndef FOVEA_KERNELS_SAMPLING_GRID_H_
#define FOVEA_KERNELS_SAMPLING_GRID_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// Where pixel i of n lies between -1 and 1.
template <class T>
T target_point(Index i, Index n, bool align_corners) {
  const Index span = align_corners ? n - 1 : n;
  return n == 1 ? 0 : static_cast<T>(2 * i + 1 - n) / static_cast<T>(span);
}

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
