#ifndef FOVEA_KERNELS_GATHER_H_
#define FOVEA_KERNELS_GATHER_H_

#include "fovea/core/device.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// Reading and adding at positions given by i32 tensors. All views are row-major. Positions are checked by
/// first_outside alone; on CUDA, where its answer comes late, the others pass over those outside.

/// The first element of `index` outside 0..limit-1, counted in row-major order; -1 when there is none. On
/// CUDA -1, and the fault is reported as that of `op` at the next wait.
Index first_outside(Cpu, const char* op, const View& index, Index limit);
Index first_outside(Cuda, const char* op, const View& index, Index limit);

/// y[o, k, i] = x[o, index[o, k, i], i], where k runs along `dim`. Any dtype.
void gather_forward(Cpu, const View& x, int dim, const View& index, const View& y);
void gather_forward(Cuda, const View& x, int dim, const View& index, const View& y);
/// y[o, index[o, k, i], i] += x[o, k, i], in the order of k. f32 or f64; CUDA takes bf16 too,
/// summed in f32.
void scatter_add_forward(Cpu, const View& x, int dim, const View& index, const View& y);
void scatter_add_forward(Cuda, const View& x, int dim, const View& index, const View& y);

/// y[o, k, :] = x[o, index[k], :], where k runs along `dim`; index (K). Any dtype.
void index_select_forward(Cpu, const View& x, int dim, const View& index, const View& y);
void index_select_forward(Cuda, const View& x, int dim, const View& index, const View& y);
/// dx[o, index[k], :] += dy[o, k, :], in the order of k. f32 or f64; CUDA takes bf16 too,
/// summed in f32.
void index_select_backward(Cpu, const View& dy, int dim, const View& index, const View& dx);
void index_select_backward(Cuda, const View& dy, int dim, const View& index, const View& dx);

/// y[..., index[...]] = 1. Any dtype.
void one_hot_forward(Cpu, const View& index, const View& y);
void one_hot_forward(Cuda, const View& index, const View& y);

}  // namespace fovea

#endif  // FOVEA_KERNELS_GATHER_H_
