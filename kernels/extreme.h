#ifndef FOVEA_KERNELS_EXTREME_H_
#define FOVEA_KERNELS_EXTREME_H_

#include "fovea/core/device.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// y = the largest (else smallest) element of x along some dimensions; at = its position, counted in
/// row-major order through these dimensions, as i32. The first one wins a tie; a NaN wins over all. Either y
/// or `at` may be none. y and `at` are views of x's shape: stride 0 in the dimensions that are reduced,
/// row-major in the others. f32 or f64; the reduced dimensions are not empty.
void extreme_forward(Cpu, const View& x, bool largest, const View& y, const View& at);
void extreme_forward(Cuda, const View& x, bool largest, const View& y, const View& at);

/// dx[at] += dy.
void extreme_backward(Cpu, const View& at, const View& dy, const View& dx);
void extreme_backward(Cuda, const View& at, const View& dy, const View& dx);

}  // namespace fovea

#endif  // FOVEA_KERNELS_EXTREME_H_
