#ifndef FOVEA_OPS_PAD_H_
#define FOVEA_OPS_PAD_H_

#include <vector>

#include "fovea/core/tensor.h"
#include "fovea/ops/axes.h"

/// Moving elements to other positions of a tensor. Any dtype.

namespace fovea {

/// How many elements to put before and after a dimension.
struct Padding {
  Index before = 0, after = 0;
};
/// Larger at the edges of the last padding.size() dimensions, filled with `value`: pad(images, {{1, 1}, {2,
/// 2}}). dx = dy's inner part.
Tensor pad(const Tensor& x, const std::vector<Padding>& padding, double value = 0);
/// y[..., (i + shift) mod n, ...] = x[..., i, ...] in dimension `dim` of size n. dx = dy rolled back.
Tensor roll(const Tensor& x, Index shift, int dim);
/// Dimensions reversed; an empty list reverses all. A copy. dx = dy flipped.
Tensor flip(const Tensor& x, const Axes& axes);

}  // namespace fovea

#endif  // FOVEA_OPS_PAD_H_
