#ifndef FOVEA_MODELS_LAYERS_DROPOUT_H_
#define FOVEA_MODELS_LAYERS_DROPOUT_H_

#include "fovea/models/layers/module.h"
#include "fovea/ops/dropout.h"

namespace fovea {

/// Inverted dropout (Srivastava et al. 2014) in training mode; otherwise x itself. See training_mode().
struct Dropout {
  double p = 0;  ///< the probability of being dropped, 0 <= p < 1
  Mode mode;

  Tensor forward(const Tensor& x) const {
    if (!mode.training || p == 0) return x;
    require(mode.random, "Dropout", "training needs random numbers; call training_mode(model, generator)");
    return dropout(x, p, *mode.random);
  }

  void each(Visitor& v) { v(mode); }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_DROPOUT_H_
