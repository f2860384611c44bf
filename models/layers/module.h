#ifndef FOVEA_MODELS_LAYERS_MODULE_H_
#define FOVEA_MODELS_LAYERS_MODULE_H_

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fovea/core/generator.h"
#include "fovea/core/named_tensor.h"
#include "fovea/core/tensor.h"

/// A layer is a plain struct of parameters and smaller layers with a `forward` of its own and one function
/// that names its parts:
///
///     struct Classifier {
///       Linear hidden, out;
///       Tensor forward(const Tensor& x) const { return out.forward(relu(hidden.forward(x))); }
///       void each(Visitor& v) {
///         v("hidden", hidden);
///         v("out", out);
///       }
///     };
///
/// Naming, counting, saving, freezing, flattening and switching between training and evaluation all go
/// through `each`; there is no base class and no registry. Names are PyTorch's: "hidden.weight",
/// "hidden.bias", ...
///
/// Copying a layer shares its parameters, as copying a tensor does.

namespace fovea {

/// What layers that act differently in training hold: Dropout has one. Set by training_mode() and
/// evaluation_mode() for a whole model.
struct Mode {
  bool training = false;
  Generator* random = nullptr;  ///< where training draws from; outlives the training
};

class Visitor;

/// Anything with an `each` that names its parts.
template <class T>
concept Layer = requires(T& layer, Visitor& v) {
  layer.each(v);
};

/// Is shown every part of a model; see the file's head. Derive from it to do something new with all parts.
class Visitor {
 public:
  virtual ~Visitor() = default;

  /// A parameter. An undefined one (a layer without bias) is passed over.
  void operator()(std::string_view name, Parameter& p) {
    if (p.defined()) parameter(full(name), p);
  }
  /// A tensor that is saved with the model but not trained.
  void buffer(std::string_view name, Tensor& t) {
    if (t.defined()) on_buffer(full(name), t);
  }
  /// Whether the layer trains, and with which random numbers.
  void operator()(Mode& m) { mode(m); }
  /// A layer within: its parts are named "name.part".
  template <Layer L>
  void operator()(std::string_view name, L& layer) {
    const std::size_t length = prefix_.size();
    prefix_.append(name).append(".");
    layer.each(*this);
    prefix_.resize(length);
  }
  /// Layers (or parameters) by number: "name.0.part", "name.1.part".
  template <class L>
  void operator()(std::string_view name, std::vector<L>& layers) {
    const std::size_t length = prefix_.size();
    prefix_.append(name).append(".");
    for (std::size_t i = 0; i < layers.size(); ++i) (*this)(std::to_string(i), layers[i]);
    prefix_.resize(length);
  }

 protected:
  virtual void parameter(const std::string& /*name*/, Parameter&) {}
  virtual void on_buffer(const std::string& /*name*/, Tensor&) {}
  virtual void mode(Mode&) {}

 private:
  std::string full(std::string_view name) const { return prefix_ + std::string(name); }
  std::string prefix_;
};

/// A parameter and its full name, "hidden.weight".
struct NamedParameter {
  std::string name;
  Parameter parameter;
};

namespace detail {

/// All parts of a model, in the order of each(). A tensor that appears under several names is one entry.
struct Parts : Visitor {
  struct Entry {
    std::string name;  // the first it was seen under
    Tensor tensor;
    bool trained;
    std::vector<std::string> aliases;
  };
  std::vector<Entry> entries;
  std::vector<Mode*> modes;

 protected:
  void parameter(const std::string& name, Parameter& p) override { add(name, p, true); }
  void on_buffer(const std::string& name, Tensor& t) override { add(name, t, false); }
  void mode(Mode& m) override { modes.push_back(&m); }

 private:
  void add(const std::string& name, const Tensor& t, bool trained);
};

/// Moves what it is shown to a device.
class Mover : public Visitor {
 public:
  explicit Mover(const Device& device) : device_(device) {}

 protected:
  void parameter(const std::string& name, Parameter& p) override;
  void on_buffer(const std::string& name, Tensor& t) override;

 private:
  Device device_;
};

template <Layer Model>
Parts parts_of(Model& model) {
  Parts parts;
  model.each(parts);
  return parts;
}

std::vector<NamedParameter> parameters_of(const Parts& parts);
std::vector<NamedTensor> tensors_of(const Parts& parts);

}  // namespace detail

/// The parameters with their names, in the order of each(); one that is used in two places comes once, under
/// the first name.
template <Layer Model>
std::vector<NamedParameter> named_parameters(Model& model) {
  return detail::parameters_of(detail::parts_of(model));
}

/// Parameters and buffers: all that is saved. The tensors share storage with the model's.
template <Layer Model>
std::vector<NamedTensor> named_tensors(Model& model) {
  return detail::tensors_of(detail::parts_of(model));
}

/// The number of trained values, tied ones once.
template <Layer Model>
Index parameter_count(Model& model) {
  Index n = 0;
  for (const NamedParameter& p : named_parameters(model)) n += p.parameter.numel();
  return n;
}

/// Sets every gradient to 0. Optimizer::step() does it too.
template <Layer Model>
void zero_gradients(Model& model) {
  for (NamedParameter& p : named_parameters(model)) p.parameter.zero_grad();
}

/// Moves all parameters, their gradients and the buffers of a float type to a device; handles of parameters
/// follow. Before flatten().
template <Layer Model>
void move_to(Model& model, const Device& device) {
  detail::Mover mover(device);
  model.each(mover);
}

/// Frozen parameters take no gradient, and optimizers leave them as they are.
template <Layer Model>
void freeze(Model& model, bool frozen = true) {
  for (NamedParameter& p : named_parameters(model)) p.parameter.freeze(frozen);
}

/// From here on the model trains: dropout drops, with numbers from `random`, which must outlive the training.
template <Layer Model>
void training_mode(Model& model, Generator& random) {
  for (Mode* m : detail::parts_of(model).modes) *m = {true, &random};
}

/// From here on the model is used as it is: nothing random. How a model starts out.
template <Layer Model>
void evaluation_mode(Model& model) {
  for (Mode* m : detail::parts_of(model).modes) *m = {};
}

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_MODULE_H_
