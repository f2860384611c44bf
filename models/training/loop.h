#ifndef FOVEA_MODELS_TRAINING_LOOP_H_
#define FOVEA_MODELS_TRAINING_LOOP_H_

#include <atomic>
#include <functional>

#include "fovea/core/shape.h"

namespace fovea {

/// The rhythm of a training run. Steps are updates; 0 switches a rhythm off.
struct Loop {
  Index steps = 1000;          ///< where the run ends
  Index log_every = 100;       ///< how often `log` is called, with the mean cost since the last time
  Index checkpoint_every = 0;  ///< how often `save` is called; also at the end and when interrupted
  const std::atomic<bool>* stop =
      nullptr;  ///< set by a signal handler: the step in hand is finished, saved, and that is it

  std::function<double()> step;                             ///< makes one update and returns its cost
  std::function<void(Index step, double cost)> after = {};  ///< after every update
  std::function<void(Index step, double mean_cost)> log = {};
  std::function<void(Index step)> save = {};

  /// Runs from update `from` to the end. Returns the updates made in all; fewer than `steps` when stopped.
  Index run(Index from) const;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TRAINING_LOOP_H_
