#ifndef FOVEA_KERNELS_SORT_H_
#define FOVEA_KERNELS_SORT_H_

#include "fovea/core/device.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// The first k elements of x in sorted order along `dim`, and where they stood, as i32; `values` and
/// `indices` have x's shape but for k in dimension `dim`. Equal elements keep their order; NaN comes last.
/// Any dtype and strides.
void sort_forward(Cpu, const View& x, int dim, bool descending, const View& values, const View& indices);
void sort_forward(Cuda, const View& x, int dim, bool descending, const View& values, const View& indices);

}  // namespace fovea

#endif  // FOVEA_KERNELS_SORT_H_
