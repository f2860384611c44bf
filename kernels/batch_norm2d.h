#ifndef FOVEA_KERNELS_BATCH_NORM2D_H_
#define FOVEA_KERNELS_BATCH_NORM2D_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

/// All tensors are row-major: x (B,C,H,W); stats (2,C), the mean and 1 / sqrt(variance + eps) of every
/// channel; the others (C), or none where that is said.

namespace fovea {

/// stats of x, which has elements; running_mean and running_var, unless none, take in the batch's mean and
/// unbiased variance.
void batch_norm2d_batch_stats(Cpu, const View& x, double eps, double momentum, const View& stats,
                              const View& running_mean, const View& running_var);
void batch_norm2d_batch_stats(Cuda, const View& x, double eps, double momentum, const View& stats,
                              const View& running_mean, const View& running_var);

/// stats of a mean and a variance.
void batch_norm2d_running_stats(Cpu, const View& running_mean, const View& running_var, double eps,
                                const View& stats);
void batch_norm2d_running_stats(Cuda, const View& running_mean, const View& running_var, double eps,
                                const View& stats);

/// y = (x - mean) scale weight + bias; weight and bias may be none.
void batch_norm2d_forward(Cpu, const View& x, const View& weight, const View& bias, const View& stats,
                          const View& y);
void batch_norm2d_forward(Cuda, const View& x, const View& weight, const View& bias, const View& stats,
                          const View& y);

/// dx, dweight and dbias (set or +=), any of which may be none; `training` says that stats depend on x.
void batch_norm2d_backward(Cpu, const View& x, const View& weight, const View& stats, bool training,
                           const View& dy, const Target& dx, const Target& dweight, const Target& dbias);
void batch_norm2d_backward(Cuda, const View& x, const View& weight, const View& stats, bool training,
                           const View& dy, const Target& dx, const Target& dweight, const Target& dbias);

}  // namespace fovea

#endif  // FOVEA_KERNELS_BATCH_NORM2D_H_
