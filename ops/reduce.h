#ifndef FOVEA_OPS_REDUCE_H_
#define FOVEA_OPS_REDUCE_H_

#include "fovea/core/tensor.h"
#include "fovea/ops/axes.h"

/// Reductions over any set of dimensions: sum(x), sum(x, 1), sum(x, {0, -1}, true). An empty list means all
/// of them. The reduced dimensions vanish, or stay with size 1 when `keepdim`. f32 or f64. Below, dy stands
/// for the gradient stretched back over x. Sums over nothing are 0; max, min, argmax and mean of nothing
/// throw.

namespace fovea {

/// sum x. dx = dy.
Tensor sum(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// sum x / n. dx = dy / n.
Tensor mean(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// The largest element; NaN if there is one. dx = dy at its first occurrence, 0 elsewhere.
Tensor max(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// The smallest element; NaN if there is one. dx = dy at its first occurrence, 0 elsewhere.
Tensor min(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// The position of the first largest element (of the first NaN), i32; over several dimensions it is counted
/// in row-major order through these. No gradient.
Tensor argmax(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// log sum e^x, without overflow; -inf over nothing. dx = dy e^(x - y).
Tensor logsumexp(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// sqrt(eps + sum x^2). dx = dy x / y, which is 0 where y is 0; eps > 0 makes the norm smooth at x = 0.
Tensor norm(const Tensor& x, const Axes& axes = {}, bool keepdim = false, double eps = 0);
/// sum (x - mean)^2 / (n - correction). The default of 1 is PyTorch's (the unbiased estimate); 0 divides by
/// n. dx = dy 2 (x - mean) / (n - correction).
Tensor var(const Tensor& x, const Axes& axes = {}, bool keepdim = false, double correction = 1);

}  // namespace fovea

#endif  // FOVEA_OPS_REDUCE_H_
