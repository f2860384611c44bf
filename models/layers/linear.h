#ifndef FOVEA_MODELS_LAYERS_LINEAR_H_
#define FOVEA_MODELS_LAYERS_LINEAR_H_

#include <cmath>

#include "fovea/models/layers/init.h"
#include "fovea/models/layers/module.h"
#include "fovea/ops/linear.h"

namespace fovea {

/// y = f(x weight^T + bias), x [...,I] -> [...,O]. Starts as PyTorch's: both U(-1/sqrt(I), 1/sqrt(I)).
struct Linear {
  struct Options {
    Index in_features = 0;   ///< I
    Index out_features = 0;  ///< O
    bool bias = true;
    DType dtype = DType::f32;
  };

  Parameter weight;  ///< [O,I]
  Parameter bias;    ///< [O], or undefined

  Linear() = default;
  Linear(const Options& o, Generator& random) {
    require(o.in_features > 0 && o.out_features > 0, "Linear", "in_features is ", o.in_features,
            " and out_features ", o.out_features, "; both must be at least 1");
    const double a = 1 / std::sqrt(static_cast<double>(o.in_features));
    weight = Parameter(Tensor::empty({o.out_features, o.in_features}, o.dtype));
    init::uniform(weight, random, -a, a);
    if (!o.bias) return;
    bias = Parameter(Tensor::empty({o.out_features}, o.dtype));
    init::uniform(bias, random, -a, a);
  }

  Tensor forward(const Tensor& x, Activation activation = Activation::none) const {
    return linear(x, weight, bias, activation);
  }

  void each(Visitor& v) {
    v("weight", weight);
    v("bias", bias);
  }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_LINEAR_H_
