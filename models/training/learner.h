#ifndef FOVEA_MODELS_TRAINING_LEARNER_H_
#define FOVEA_MODELS_TRAINING_LEARNER_H_

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fovea/core/generator.h"
#include "fovea/models/data/loader.h"
#include "fovea/models/layers/flat.h"
#include "fovea/models/training/checkpoint.h"
#include "fovea/models/training/optimizer.h"
#include "fovea/models/training/replays.h"
#include "fovea/models/training/schedule.h"
#include "fovea/models/training/settings.h"

namespace fovea {

/// A model in training: its parameters, its optimizer and its random numbers. A family derives from it and
/// says what its model is and what a batch costs. Model and batches lie on the settings' device; what callers
/// give and get lies on the host.
class Learner {
 public:
  virtual ~Learner() = default;

  /// Updates made so far.
  Index steps() const { return optimizer_->steps(); }
  /// Where the model lies.
  const Device& device() const { return rules_.device; }
  /// On a GPU, how updates make cost, gradients and clipping: see Replays.
  Replays& replays() { return replays_; }
  /// Elements of all parameters.
  Index parameters() const;

  /// Makes one update on the next batch and returns its cost. Throws when a number goes bad, naming step and
  /// tensor; the parameters are then as they were before.
  virtual double step();

  /// What a checkpoint holds of it.
  virtual Checkpoint checkpoint();
  /// Goes on where a checkpoint ends, bit for bit. Its settings must be this learner's.
  virtual void restore(const Checkpoint& checkpoint);

  /// The weights alone, under PyTorch's names.
  void save_weights(const std::filesystem::path& file);

  /// The settings as one line of JSON.
  virtual std::string settings_json() const = 0;

 protected:
  explicit Learner(const TrainingSettings& settings)
      : data_(Generator(settings.seed).fork(data_stream)), rules_(settings) {}

  /// Streams of one seed, so that no part of a run depends on how many numbers another has drawn.
  enum Stream : std::uint64_t { weights_stream, data_stream, evaluation_stream };

  /// To be called once the model is there, made on the host, so that a seed means the same weights
  /// everywhere: moves it to its device and gets it ready to learn.
  template <Layer Model>
  void start(Model& model) {
    move_to(model, device());
    start(flatten(model));
  }

  /// Draws the next batch, on the host. An empty one means that it is kept for cost(); such updates are
  /// not replayed.
  virtual Batch draw() = 0;
  /// The mean cost of a batch on the model's device, a scalar; it is recorded. On a GPU this, its gradients
  /// and the optimizer's step become a graph, one for every shape of batch, so that it must follow from the
  /// batch's tensors, from parameters, buffers and generators alone: only shapes may be read on the host,
  /// nothing may be changed there, and what is frozen stays so. Meanwhile no other thread may use the GPU.
  virtual Tensor cost(const Batch& batch) = 0;
  /// The model's parameters and buffers.
  virtual std::vector<NamedTensor> tensors() = 0;
  /// Copies the like into the model.
  virtual void load(const std::vector<NamedTensor>& tensors) = 0;
  /// Where its batches come from, if from a loader: checkpoints then keep where it stands.
  virtual Loader* loader() { return nullptr; }

  /// A tensor brought to the model's device; an undefined one stays so.
  Tensor here(const Tensor& x) const;
  /// The way back, of all of these.
  static void to_host(std::vector<Tensor>& tensors);

  /// After start().
  Optimizer& optimizer() { return *optimizer_; }

  Generator data_;

 private:
  void start(FlatParameters parameters);
  double update(const Batch& batch);

  TrainingSettings rules_;
  std::unique_ptr<Optimizer> optimizer_;
  Schedule schedule_;
  Replays replays_;
};

/// The schedule of a run: cosine falls from lr to 0 along half a cosine; cooldown stays at lr and falls to 0
/// in a straight line at the end; noam rises to lr over the warm-up and falls as 1 / sqrt(step); constant
/// stays.
Schedule make_schedule(const TrainingSettings& settings);

}  // namespace fovea

#endif  // FOVEA_MODELS_TRAINING_LEARNER_H_
