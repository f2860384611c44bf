#ifndef FOVEA_OPS_JOIN_H_
#define FOVEA_OPS_JOIN_H_

#include <span>
#include <vector>

#include "fovea/core/tensor.h"

/// Putting tensors together and taking them apart. Any dtype.

namespace fovea {

/// One after the other along `dim`; the other sizes agree. dx_i = dy's part i. At least one tensor.
Tensor concat(std::span<const Tensor> x, int dim);
Tensor concat(std::initializer_list<Tensor> x, int dim);
/// Side by side along a new dimension put before `dim` (-1: last); all of one shape. dx_i = dy's part i.
Tensor stack(std::span<const Tensor> x, int dim);
Tensor stack(std::initializer_list<Tensor> x, int dim);

/// Cuts dimension `dim` into pieces of the given sizes, which must add up to it; the pieces are views. dx =
/// the pieces' gradients one after the other, 0 for a piece that was not used. split(x, {2, 3}, 1).
std::vector<Tensor> split(const Tensor& x, const std::vector<Index>& sizes, int dim);
/// Into `n` pieces of equal size (PyTorch's chunk(); its split() takes the size of a piece).
std::vector<Tensor> split(const Tensor& x, Index n, int dim);

}  // namespace fovea

#endif  // FOVEA_OPS_JOIN_H_
