#ifndef FOVEA_KERNELS_SOFTMAX_H_
#define FOVEA_KERNELS_SOFTMAX_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// y = softmax(x) along `axis`, or its logarithm. x and y row-major. `keep` (u8, x's shape with any strides;
/// may be none): elements where it is 0 take no part and get 0 (-inf for the logarithm).
void softmax_forward(Cpu, bool log, const View& x, const View& keep, int axis, const View& y);
void softmax_forward(Cuda, bool log, const View& x, const View& keep, int axis, const View& y);

/// dx (set or +=) from the output y. All row-major.
void softmax_backward(Cpu, bool log, const View& y, const View& dy, int axis, const Target& dx);
void softmax_backward(Cuda, bool log, const View& y, const View& dy, int axis, const Target& dx);

}  // namespace fovea

#endif  // FOVEA_KERNELS_SOFTMAX_H_
