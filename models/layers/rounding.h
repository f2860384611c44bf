#ifndef FOVEA_MODELS_LAYERS_ROUNDING_H_
#define FOVEA_MODELS_LAYERS_ROUNDING_H_

#include "fovea/models/layers/module.h"
#include "fovea/ops/create.h"

namespace fovea {

/// Where a model's activations become bf16 in training mode: from here on layers hand on half the bytes, and
/// multiply with a GPU's fast products, while parameters and sums stay f32 (see ops/by_f32.h). Otherwise x
/// itself. Attention caches are f32, and no part of training.
struct Rounding {
  DType activations = DType::f32;  ///< bf16, or anything else for none
  Mode mode;

  Tensor forward(const Tensor& x) const {
    return mode.training && activations == DType::bf16 ? cast(x, DType::bf16) : x;
  }

  void each(Visitor& v) { v(mode); }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_ROUNDING_H_
