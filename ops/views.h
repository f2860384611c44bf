#ifndef FOVEA_OPS_VIEWS_H_
#define FOVEA_OPS_VIEWS_H_

#include <limits>

#include "fovea/core/tensor.h"
#include "fovea/ops/axes.h"

/// The same elements under another shape. All but reshape() and flatten() always share storage with x; those
/// two copy where strides cannot describe the result. Any dtype. `dim` counts from the end when negative.

namespace fovea {

/// The elements, in row-major order, under another shape; one size may be -1 and is worked out. dx = dy
/// reshaped.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Dimensions first..last (inclusive) made one; a scalar becomes (1). dx = dy reshaped.
Tensor flatten(const Tensor& x, int first = 0, int last = -1);
/// Without dimension `dim`, whose size must be 1. dx = dy reshaped.
Tensor squeeze(const Tensor& x, int dim);
/// With a dimension of size 1 put before `dim`; -1 puts it last. dx = dy reshaped.
Tensor unsqueeze(const Tensor& x, int dim);

/// `end` of a slice that goes to the end.
inline constexpr Index to_end = std::numeric_limits<Index>::max();
/// x[..., begin:end:step, ...]: dimension `dim` keeps its positions begin, begin + step, ... below `end`.
/// Negative positions count from the end; positions outside x throw (Python would cut them). dx = dy there, 0
/// elsewhere.
Tensor slice(const Tensor& x, int dim, Index begin, Index end, Index step = 1);
/// x[..., i, ...]: dimension `dim` is gone; -1 is the last position. dx = dy there, 0 elsewhere.
Tensor select(const Tensor& x, int dim, Index i);

/// Two dimensions exchanged. dx = dy transposed.
Tensor transpose(const Tensor& x, int d0, int d1);
/// Dimension i of the result is dimension order[i] of x: permute(x, {0, 2, 1}). dx = dy permuted back.
Tensor permute(const Tensor& x, const Axes& order);
/// Stretched to a shape that x broadcasts to; nothing is copied. dx = dy summed over what was stretched.
Tensor expand(const Tensor& x, const Shape& shape);

}  // namespace fovea

#endif  // FOVEA_OPS_VIEWS_H_
