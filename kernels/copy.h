#ifndef FOVEA_KERNELS_COPY_H_
#define FOVEA_KERNELS_COPY_H_

#include "fovea/core/device.h"
#include "fovea/core/into.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// to = from (or to += from), element by element, converting the type; any strides, the same shape.
/// Conversion to an integer truncates.
void copy(Cpu, const View& to, const View& from, Into into = Into::set);
void copy(Cuda, const View& to, const View& from, Into into = Into::set);

/// Every element of a row-major view = value.
void fill(Cpu, const View& to, double value);
void fill(Cuda, const View& to, double value);

/// Element i of a row-major view = i.
void count_up(Cpu, const View& to);
void count_up(Cuda, const View& to);

}  // namespace fovea

#endif  // FOVEA_KERNELS_COPY_H_
