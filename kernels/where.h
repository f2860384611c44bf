#ifndef FOVEA_KERNELS_WHERE_H_
#define FOVEA_KERNELS_WHERE_H_

#include "fovea/core/device.h"
#include "fovea/core/into.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// z = mask ? x : y, any dtype; where x is none, its value is `a`. All views have z's shape, any strides; the
/// mask is u8.
void where_forward(Cpu, const View& mask, const View& x, double a, const View& y, const View& z);
void where_forward(Cuda, const View& mask, const View& x, double a, const View& y, const View& z);

/// dx (set or +=) (mask != 0) == side ? dy : 0. All views have dy's shape. f32 or f64; CUDA takes bf16 too.
void where_backward(Cpu, const View& mask, bool side, const View& dy, const View& dx, Into into);
void where_backward(Cuda, const View& mask, bool side, const View& dy, const View& dx, Into into);

}  // namespace fovea

#endif  // FOVEA_KERNELS_WHERE_H_
