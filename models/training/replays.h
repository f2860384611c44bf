#ifndef FOVEA_MODELS_TRAINING_REPLAYS_H_
#define FOVEA_MODELS_TRAINING_REPLAYS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fovea/core/tensor.h"

namespace fovea {

/// What an update learns from: tensors, of which some may be undefined.
using Batch = std::vector<Tensor>;

/// Does the same work on batch after batch. On a GPU the work becomes a graph, one for every shape that
/// batches have, which is then replayed: see Captured. Work that reads a value on the host meanwhile cannot
/// be captured and runs as it is written; so do all further shapes when there are `most` graphs.
class Replays {
 public:
  /// From a batch on the device to results that lie there.
  using Work = std::function<std::vector<Tensor>(const Batch& batch)>;
  static constexpr int most = 128;

  Replays();
  ~Replays();

  /// `work`, here and in every later call the same, on a batch from the host; an empty one stands for a batch
  /// that the work brings itself, and is never captured. Results are good until the next call.
  std::vector<Tensor> operator()(const Batch& batch, const Device& device, const Work& work);

  /// Graphs there are.
  int graphs() const;
  /// Why the last shape that was refused could not be captured; empty when none was.
  const std::string& refusal() const;
  /// Gives back the memory of all graphs, and makes no more.
  void stop();

 private:
  struct Graphs;
  std::unique_ptr<Graphs> graphs_;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TRAINING_REPLAYS_H_
