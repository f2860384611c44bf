#ifndef FOVEA_KERNELS_REDUCE_H_
#define FOVEA_KERNELS_REDUCE_H_

#include "fovea/core/device.h"
#include "fovea/core/into.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// Sums along some dimensions. y, and everything else of its size, is given as a view of x's shape: stride 0
/// in the dimensions that are summed over, row-major in the others. x has any strides. f32 or f64, summed in
/// several accumulators and then in double.

/// y (set or +=) scale * sum x. CUDA takes bf16 too.
void sum_forward(Cpu, const View& x, double scale, const View& y, Into into = Into::set);
void sum_forward(Cuda, const View& x, double scale, const View& y, Into into = Into::set);
/// y = sqrt(eps + sum x^2).
void norm_forward(Cpu, const View& x, double eps, const View& y);
void norm_forward(Cuda, const View& x, double eps, const View& y);
/// y = scale * sum (x - mean)^2.
void var_forward(Cpu, const View& x, const View& mean, double scale, const View& y);
void var_forward(Cuda, const View& x, const View& mean, double scale, const View& y);
/// y = log sum e^x. y holds the maximum of x on entry.
void logsumexp_forward(Cpu, const View& x, const View& y);
void logsumexp_forward(Cuda, const View& x, const View& y);

/// What dx is, besides scale * dy, in terms of x and a value s of y's size.
enum class ReduceSlope {
  one,       ///< 1: sum, mean
  ratio,     ///< x / s, and 0 where s = 0: norm with s = y
  distance,  ///< x - s: var with s = mean
  exp,       ///< e^(x - s), and 0 where s = -inf: logsumexp with s = y
};
/// dx (set or +=) scale * dy * slope(x, s). `x` and `s` may be none for ReduceSlope::one.
void reduce_backward(Cpu, ReduceSlope slope, double scale, const View& x, const View& s, const View& dy,
                     const View& dx, Into into);
void reduce_backward(Cuda, ReduceSlope slope, double scale, const View& x, const View& s, const View& dy,
                     const View& dx, Into into);

}  // namespace fovea

#endif  // FOVEA_KERNELS_REDUCE_H_
