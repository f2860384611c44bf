#ifndef FOVEA_KERNELS_RMS_NORM_H_
#define FOVEA_KERNELS_RMS_NORM_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// y = x / sqrt(mean(x^2) + eps) * weight over the last axis (D elements). x and y are row-major; weight (D)
/// may be none. `scales` (rows) takes every row's 1 / sqrt(mean(x^2) + eps).
void rms_norm_forward(Cpu, const View& x, const View& weight, double eps, const View& y, const View& scales);
void rms_norm_forward(Cuda, const View& x, const View& weight, double eps, const View& y, const View& scales);

/// dx (set or +=) from dy. All row-major.
void rms_norm_backward(Cpu, const View& x, const View& weight, const View& scales, const View& dy,
                       const Target& dx);
void rms_norm_backward(Cuda, const View& x, const View& weight, const View& scales, const View& dy,
                       const Target& dx);

/// dweight (set or +=): sums over the rows in their order.
void rms_norm_backward_weight(Cpu, const View& x, const View& scales, const View& dy, const Target& dweight);
void rms_norm_backward_weight(Cuda, const View& x, const View& scales, const View& dy, const Target& dweight);

}  // namespace fovea

#endif  // FOVEA_KERNELS_RMS_NORM_H_
