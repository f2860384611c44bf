#ifndef FOVEA_MODELS_LAYERS_MLP_H_
#define FOVEA_MODELS_LAYERS_MLP_H_

#include <vector>

#include "fovea/models/layers/dropout.h"
#include "fovea/models/layers/linear.h"
#include "fovea/ops/pointwise.h"

namespace fovea {

/// A multi-layer perceptron: linear layers with an activation, and dropout in training mode, between them.
struct Mlp {
  using Activation = Tensor (*)(const Tensor&);

  struct Options {
    std::vector<Index> sizes = {};  ///< inputs, hidden ..., outputs: {784, 256, 10}
    Activation activation = fovea::relu;
    double dropout = 0;
    bool bias = true;
    DType dtype = DType::f32;
  };

  std::vector<Linear> layers;
  Activation activation = fovea::relu;
  Dropout dropout;

  Mlp() = default;
  Mlp(const Options& o, Generator& random) : activation(o.activation), dropout{o.dropout, {}} {
    require(o.sizes.size() >= 2, "Mlp", "has ", o.sizes.size(),
            " sizes; give at least those of input and output");
    for (std::size_t i = 1; i < o.sizes.size(); ++i)
      layers.push_back(Linear(
          {.in_features = o.sizes[i - 1], .out_features = o.sizes[i], .bias = o.bias, .dtype = o.dtype},
          random));
  }

  /// x [...,sizes.front()] -> [...,sizes.back()].
  Tensor forward(const Tensor& x) const {
    Tensor h = layers.at(0).forward(x);
    for (std::size_t i = 1; i < layers.size(); ++i) h = layers[i].forward(dropout.forward(activation(h)));
    return h;
  }

  void each(Visitor& v) {
    v("layers", layers);
    dropout.each(v);
  }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_MLP_H_
