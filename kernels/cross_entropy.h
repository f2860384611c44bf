#ifndef FOVEA_KERNELS_CROSS_ENTROPY_H_
#define FOVEA_KERNELS_CROSS_ENTROPY_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// What forward and backward both need. All views row-major.
struct CrossEntropy {
  View logits;   ///< (.., C)
  View classes;  ///< (..), i32
  View weights;  ///< (C), or none
  View stats;    ///< (2, rows): every row's largest logit m and ln sum e^(x - m); made by the forward
  double smoothing = 0;
  Index ignore = -1;
  enum { mean, sum, none } reduction = mean;
};

/// `losses` takes one loss for each row, and `loss` (may be none) what the reduction makes of them. Throws
/// when a class that is not ignored lies outside 0 .. C - 1.
void cross_entropy_forward(Cpu, const CrossEntropy& c, const View& losses, const View& loss);
void cross_entropy_forward(Cuda, const CrossEntropy& c, const View& losses, const View& loss);

/// The gradient of the logits.
void cross_entropy_backward(Cpu, const CrossEntropy& c, const View& dy, const Target& dlogits);
void cross_entropy_backward(Cuda, const CrossEntropy& c, const View& dy, const Target& dlogits);

}  // namespace fovea

#endif  // FOVEA_KERNELS_CROSS_ENTROPY_H_
