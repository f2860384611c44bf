#ifndef FOVEA_OPS_WHERE_H_
#define FOVEA_OPS_WHERE_H_

#include "fovea/core/tensor.h"

/// Choosing by a mask: a u8 tensor in which every value but 0 means true. Any dtype.

namespace fovea {

/// mask ? x : y; all three broadcast. dx = mask ? dz : 0, dy = mask ? 0 : dz.
Tensor where(const Tensor& mask, const Tensor& x, const Tensor& y);
/// mask ? value : x; the mask stretches to x. dx = mask ? 0 : dy.
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);

}  // namespace fovea

#endif  // FOVEA_OPS_WHERE_H_
