#ifndef FOVEA_OPS_GATHER_H_
#define FOVEA_OPS_GATHER_H_

#include "fovea/core/tensor.h"

/// Reading and adding at positions held in i32 tensors. A position outside 0..n-1 throws: negative ones do
/// not count from the end. Gradients are summed in the order of the positions, the same on every run. Any
/// dtype but for scatter_add, which takes f32 and f64.

namespace fovea {

/// y[..., k, ...] = x[..., index[..., k, ...], ...] in dimension `dim`; index has x's shape but for `dim`, y
/// has index's. dx[..., index, ...] += dy.
Tensor gather(const Tensor& x, int dim, const Tensor& index);
/// y = x, then y[..., index[..., k, ...], ...] += src[..., k, ...]; index and src are of one shape, x's but
/// for `dim`. dx = dy, dsrc = gather(dy, dim, index).
Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, const Tensor& src);
/// Whole slices of x: y[..., k, ...] = x[..., index[k], ...]; index (K). dx[..., index[k], ...] += dy[..., k,
/// ...].
Tensor index_select(const Tensor& x, int dim, const Tensor& index);
/// Rows of a table: weight (V,D), ids of any shape -> ids' shape + (D). dweight[id] += dy's row.
Tensor embedding(const Tensor& weight, const Tensor& ids);
/// ids of any shape -> ids' shape + (n): 1 at the id, else 0. No gradient.
Tensor one_hot(const Tensor& ids, Index n, DType dtype = DType::f32);

}  // namespace fovea

#endif  // FOVEA_OPS_GATHER_H_
