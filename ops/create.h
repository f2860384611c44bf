#ifndef FOVEA_OPS_CREATE_H_
#define FOVEA_OPS_CREATE_H_

#include "fovea/core/generator.h"
#include "fovea/core/tensor.h"

/// Making tensors and copying them. None of the makers is differentiable.

namespace fovea {

Tensor zeros(const Shape& shape, DType dtype = DType::f32, const Device& device = Cpu{});
Tensor ones(const Shape& shape, DType dtype = DType::f32, const Device& device = Cpu{});
Tensor full(const Shape& shape, double value, DType dtype = DType::f32, const Device& device = Cpu{});
Tensor zeros_like(const Tensor& x);
Tensor full_like(const Tensor& x, double value);
/// 0, 1, ..., n - 1. Of f32 exact to 2^24.
Tensor arange(Index n, DType dtype = DType::i32, const Device& device = Cpu{});

/// Independent draws; the same seed gives the same numbers on every device. f32 or f64.
Tensor rand_uniform(const Shape& shape, Generator& random, double low = 0, double high = 1,
                    DType dtype = DType::f32);
Tensor rand_normal(const Shape& shape, Generator& random, double mean = 0, double deviation = 1,
                   DType dtype = DType::f32);
/// 1 with probability p, else 0.
Tensor rand_bernoulli(const Shape& shape, Generator& random, double p, DType dtype = DType::f32);
/// Integers from {low, ..., high - 1}, i32.
Tensor rand_int(const Shape& shape, Generator& random, Index low, Index high);

/// x itself when it is row-major without gaps, else a row-major copy. dx = dy.
Tensor contiguous(const Tensor& x);
/// A copy with storage of its own. dx = dy.
Tensor clone(const Tensor& x);
/// x converted to another type; between float types dx = dy converted back.
Tensor cast(const Tensor& x, DType dtype);
/// x on another device, contiguous; x itself when it lies there already. Waits on the way to the host; on
/// the way from it the elements have been read when this returns. The gradient travels back.
Tensor to(const Tensor& x, const Device& device);
/// Copies the elements of `from` (of the same shape) into `to`. Throws when a tape tracks `to`.
void assign(Tensor to, const Tensor& from);

}  // namespace fovea

#endif  // FOVEA_OPS_CREATE_H_
