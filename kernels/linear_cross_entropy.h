#ifndef FOVEA_KERNELS_LINEAR_CROSS_ENTROPY_H_
#define FOVEA_KERNELS_LINEAR_CROSS_ENTROPY_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// All views row-major. On a GPU x, weight and dx may be bf16, and then the others are f32; what is computed
/// is too, but for the products' factors.
struct LinearCrossEntropy {
  View x;            ///< (.., D)
  View weight;       ///< (V, D)
  View bias;         ///< (V) or none
  View classes;      ///< (..), i32
  double smoothing;  ///< label smoothing
  Index unsmoothed;  ///< the class that gets no share of it; -1: none
  Index ignore;      ///< class of rows that do not count
  bool mean;         ///< else the sum
  Index chunk_rows;  ///< rows of logits at a time; 0: 8 MB of them, on CUDA 128
};

/// The loss (one element), and its gradients dx (.., D), dweight (V, D) and dbias (V); any may be none.
/// Throws when a class is out of range.
void linear_cross_entropy_forward(Cpu, const LinearCrossEntropy& c, const View& loss, const View& dx,
                                  const View& dweight, const View& dbias);
void linear_cross_entropy_forward(Cuda, const LinearCrossEntropy& c, const View& loss, const View& dx,
                                  const View& dweight, const View& dbias);

/// dx (set or +=) = gradient * dy, where dy is one element.
void scale_gradient(Cpu, const View& gradient, const View& dy, const Target& dx);
void scale_gradient(Cuda, const View& gradient, const View& dy, const Target& dx);

}  // namespace fovea

#endif  // FOVEA_KERNELS_LINEAR_CROSS_ENTROPY_H_
