#ifndef FOVEA_MODELS_LAYERS_LAYER_NORM_H_
#define FOVEA_MODELS_LAYERS_LAYER_NORM_H_

#include "fovea/models/layers/module.h"
#include "fovea/ops/create.h"
#include "fovea/ops/layer_norm.h"

namespace fovea {

/// Layer normalisation (Ba, Kiros and Hinton 2016) over the last axis of x [...,D]. Starts with gain 1 and
/// bias 0.
struct LayerNorm {
  struct Options {
    Index features = 0;  ///< D
    double eps = 1e-5;
    bool affine = true;  ///< whether there are a gain and a bias
    bool bias = true;    ///< false leaves the gain alone
    DType dtype = DType::f32;
  };

  Parameter weight, bias;  ///< [D], or undefined
  double eps = 1e-5;

  LayerNorm() = default;
  explicit LayerNorm(const Options& o) : eps(o.eps) {
    require(o.features > 0, "LayerNorm", "features is ", o.features, "; it must be at least 1");
    if (!o.affine) return;
    weight = Parameter(ones({o.features}, o.dtype));
    if (o.bias) bias = Parameter(zeros({o.features}, o.dtype));
  }

  Tensor forward(const Tensor& x) const { return layer_norm(x, weight, bias, eps); }

  void each(Visitor& v) {
    v("weight", weight);
    v("bias", bias);
  }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_LAYER_NORM_H_
