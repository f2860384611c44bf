#ifndef FOVEA_KERNELS_GRID_SAMPLE_H_
#define FOVEA_KERNELS_GRID_SAMPLE_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// How grid_sample reads: bilinear or nearest, zeros around or the border continued, corners aligned or not.
struct SampleRule {
  bool bilinear, border, align_corners;
};

/// y (B,C,H',W') = x (B,C,H,W) at points (B,H',W',2). All row-major.
void grid_sample_forward(Cpu, const View& x, const View& points, SampleRule rule, const View& y);
void grid_sample_forward(Cuda, const View& x, const View& points, SampleRule rule, const View& y);

/// dx and dpoints (set or +=), either of which may be none.
void grid_sample_backward(Cpu, const View& x, const View& points, SampleRule rule, const View& dy,
                          const Target& dx, const Target& dpoints);
void grid_sample_backward(Cuda, const View& x, const View& points, SampleRule rule, const View& dy,
                          const Target& dx, const Target& dpoints);

}  // namespace fovea

#endif  // FOVEA_KERNELS_GRID_SAMPLE_H_
