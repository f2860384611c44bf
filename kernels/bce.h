#ifndef FOVEA_KERNELS_BCE_H_
#define FOVEA_KERNELS_BCE_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// w (softplus(x) - x y), with logits x, targets y and weights w (may be none). All row-major and of one
/// shape. `loss` has their elements, or one: scale times their sum.
void bce_forward(Cpu, const View& x, const View& y, const View& w, double scale, const View& loss);
void bce_forward(Cuda, const View& x, const View& y, const View& w, double scale, const View& loss);

/// dx (set or +=) = w (sigmoid(x) - y) dy
void bce_backward_logits(Cpu, const View& x, const View& y, const View& w, double scale, const View& dy,
                         const Target& dx);
void bce_backward_logits(Cuda, const View& x, const View& y, const View& w, double scale, const View& dy,
                         const Target& dx);

/// dtarget (set or +=) = -w x dy
void bce_backward_targets(Cpu, const View& x, const View& w, double scale, const View& dy,
                          const Target& dtarget);
void bce_backward_targets(Cuda, const View& x, const View& w, double scale, const View& dy,
                          const Target& dtarget);

}  // namespace fovea

#endif  // FOVEA_KERNELS_BCE_H_
