#ifndef FOVEA_KERNELS_DROPOUT_H_
#define FOVEA_KERNELS_DROPOUT_H_

#include "fovea/core/device.h"
#include "fovea/kernels/philox.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// keep[i] (u8) = whether the i-th uniform number from `random` on is >= p; y = keep ? x / (1 - p) : 0.
/// Row-major. On a GPU x, y, dy and dx may be bf16.
void dropout_forward(Cpu, const View& x, double p, RandomState random, const View& keep, const View& y);
void dropout_forward(Cuda, const View& x, double p, RandomState random, const View& keep, const View& y);

/// dx (set or +=) = keep ? dy / (1 - p) : 0.
void dropout_backward(Cpu, const View& dy, double p, const View& keep, const Target& dx);
void dropout_backward(Cuda, const View& dy, double p, const View& keep, const Target& dx);

}  // namespace fovea

#endif  // FOVEA_KERNELS_DROPOUT_H_
