#ifndef FOVEA_MODELS_TRAINING_AVERAGE_H_
#define FOVEA_MODELS_TRAINING_AVERAGE_H_

#include <span>
#include <string>
#include <vector>

#include "fovea/core/named_tensor.h"
#include "fovea/models/layers/flat.h"

namespace fovea {

/// An exponential moving average of a model's parameters (Polyak and Juditsky 1992), which often does better
/// than the last values: average += (1 - decay) (values - average), starting from the values at construction.
///
///     average.update();       // after every optimizer step
///     average.swap();         // the model now has the averaged values
///     evaluate(model);
///     average.swap();         // and back
///
/// With the decay `equal`, the plain mean of the values at every update() (checkpoint averaging, Vaswani et
/// al. 2017, section 6.1).
class AverageWeights {
 public:
  static constexpr double equal = 1;

  explicit AverageWeights(FlatParameters flat, double decay = 0.999);
  void update();
  /// How many values a plain mean is of: the calls of update(). Set it when state is loaded; 0 starts anew.
  Index count() const { return count_; }
  void set_count(Index count) { count_ = count; }
  /// Exchanges the model's values and the average. Refuses update() until exchanged back.
  void swap();

  /// The averages under the parameters' names, of their shapes; they share storage with this.
  std::vector<NamedTensor> state() const;
  /// Takes over what state() gave. Throws when names, shapes or types differ; then nothing has been changed.
  void load_state(std::span<const NamedTensor> state);

 private:
  FlatParameters flat_;
  double decay_;
  Tensor average_;  // [N]
  Index count_ = 0;
  bool swapped_ = false;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TRAINING_AVERAGE_H_
