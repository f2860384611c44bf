#ifndef FOVEA_MODELS_LAYERS_FLAT_H_
#define FOVEA_MODELS_LAYERS_FLAT_H_

#include <string>
#include <vector>

#include "fovea/models/layers/module.h"

namespace fovea {

/// All parameters of a model in one buffer and all their gradients in another, so that zeroing, clipping and
/// the optimizer are each one sweep. Every parameter starts on a 64-byte boundary; what lies between is 0 and
/// stays 0. Matrices and everything larger come first, then biases, gains and other vectors. Copies share the
/// buffers.
struct FlatParameters {
  /// Which rule a parameter falls under: weight decay is often kept from biases and gains.
  enum Group { weights, vectors };  // rank >= 2; rank < 2

  /// One parameter's place.
  struct Segment {
    std::string name;
    Parameter parameter;
    Index offset, length;  ///< in elements
    Group group;
    double lr_scale = 1;  ///< see Optimizer::scale_lr()
  };

  Tensor values, gradients;  ///< [N]
  std::vector<Segment> segments;

  /// Sets all gradients to 0.
  void zero_gradients() const;
  /// Throws, naming `op`, when a parameter has since been flattened elsewhere, so that these buffers are no
  /// longer the model's.
  void check_current(const char* op) const;
};

/// Moves parameters into flat buffers; their handles follow. They must be of one dtype and number at least
/// one.
FlatParameters flatten(const std::vector<NamedParameter>& parameters);

/// Moves a model's parameters into flat buffers.
template <Layer Model>
FlatParameters flatten(Model& model) {
  return flatten(named_parameters(model));
}

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_FLAT_H_
