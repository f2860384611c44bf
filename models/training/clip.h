#ifndef FOVEA_MODELS_TRAINING_CLIP_H_
#define FOVEA_MODELS_TRAINING_CLIP_H_

#include "fovea/core/tensor.h"
#include "fovea/models/layers/flat.h"

/// What may be done to gradients between backward() and the optimizer's step, and checks that stop a run
/// whose numbers went bad.

namespace fovea {

/// Clips every component of the gradients to [-limit, limit].
void clip_by_value(const FlatParameters& flat, double limit);

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), where norm is the length of all of them as one
/// vector (Pascanu, Mikolov and Bengio 2013; the 1e-6 is PyTorch's). Returns the norm before, one f64. A norm
/// that is not finite leaves the gradients as they are. It stays on the device, so that the step can be
/// captured.
Tensor clip_by_norm(const FlatParameters& flat, double max_norm);

/// The length of all gradients as one vector, one f64 on their device.
Tensor gradient_norm(const FlatParameters& flat);

/// A loss, of one element, and the length of all gradients: f64 [2] on their device. What Optimizer::step()
/// goes by, and check_finite() once the host has it. Both are NaN where an op has found a fault in its input
/// that the host does not know of yet.
Tensor loss_and_norm(const Tensor& loss, const FlatParameters& flat);

/// Multiplies the gradients: by 1/k after k backward passes, so that they are a mean over k batches.
void scale_gradients(const FlatParameters& flat, double factor);

/// Throws an Error that names step and tensor when the loss, or the gradient or value of a parameter is NaN
/// or infinite.
void check_finite(Index step, double loss, const FlatParameters& flat);
/// The same given the gradients' norm, of which clip_by_norm() tells, which saves looking at every gradient.
void check_finite(Index step, double loss, const FlatParameters& flat, double norm);

}  // namespace fovea

#endif  // FOVEA_MODELS_TRAINING_CLIP_H_
