#ifndef FOVEA_KERNELS_LAYER_NORM_H_
#define FOVEA_KERNELS_LAYER_NORM_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// On a GPU x, y, dy and dx may be bf16; then weight, bias, stats and what is computed are f32.

/// y = (x - mean) / sqrt(variance + eps) * weight + bias over the last axis (D elements; variance biased). x
/// and y are row-major; weight and bias (D) may be none. `stats` (2, rows) takes every row's mean and 1 /
/// sqrt(variance + eps).
void layer_norm_forward(Cpu, const View& x, const View& weight, const View& bias, double eps, const View& y,
                        const View& stats);
void layer_norm_forward(Cuda, const View& x, const View& weight, const View& bias, double eps, const View& y,
                        const View& stats);

/// dx (set or +=) from dy. All row-major.
void layer_norm_backward(Cpu, const View& x, const View& weight, const View& stats, const View& dy,
                         const Target& dx);
void layer_norm_backward(Cuda, const View& x, const View& weight, const View& stats, const View& dy,
                         const Target& dx);

/// dweight and dbias (set or +=), either of which may be none: sums over the rows in their order, the same
/// for any number of threads.
void layer_norm_backward_parameters(Cpu, const View& x, const View& stats, const View& dy,
                                    const Target& dweight, const Target& dbias);
void layer_norm_backward_parameters(Cuda, const View& x, const View& stats, const View& dy,
                                    const Target& dweight, const Target& dbias);

}  // namespace fovea

#endif  // FOVEA_KERNELS_LAYER_NORM_H_
