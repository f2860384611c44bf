#ifndef FOVEA_MODELS_NTM_LEARNER_H_
#define FOVEA_MODELS_NTM_LEARNER_H_

#include <memory>
#include <string>
#include <variant>

#include "fovea/models/ntm/ntm.h"
#include "fovea/models/ntm/tasks.h"
#include "fovea/models/training/learner.h"

namespace fovea::ntm {

/// Everything that decides a training run: a run is made again from these.
struct Settings : FamilySettings<Settings> {
  static constexpr const char* family = "ntm";

  std::string task = "copy";
  std::string model = "ntm";        ///< ntm, or lstm: the paper's baseline
  std::string controller = "lstm";  ///< lstm or feedforward
  Index controller_size = 100;
  int controller_layers = 1;
  Index read_heads = 1, write_heads = 1;
  Index memory_rows = 128, memory_width = 20;
  std::string start = "constant";  ///< constant, learned or random
  double focus = 0;                ///< of the first weightings on row 0; see Ntm::Options
  std::string heads = "tanh";      ///< tanh or linear
  Index lstm_size = 256;           ///< of each of the baseline's three layers
  std::string dtype = "f32";       ///< of weights and arithmetic: f32 or f64

  std::vector<Setting> own();
};

/// The settings that learn a task fastest and most reliably of those tried (preset "default"), or the paper's
/// tables 1 to 3 ("paper"). `model` is ntm or lstm.
Settings settings_for(const std::string& task, const std::string& model, const std::string& preset);

/// How well a model does on some episodes.
struct Score {
  double bits = 0;            ///< cross-entropy of a sequence in bits, mean
  double wrong_bits = 0;      ///< outputs on the wrong side of 1/2 in a sequence, mean
  double wrong_fraction = 0;  ///< the same as a share of all scored bits
  double optimal_bits = 0;    ///< of the best possible predictor, where the task knows it
};

/// A machine, or the baseline, that learns a task.
class Learner : public fovea::Learner {
 public:
  explicit Learner(const Settings& settings);

  const Settings& settings() const { return settings_; }
  std::string settings_json() const override { return settings_.to_json(); }
  const Task& task() const { return *task_; }
  /// The sequences that the updates made so far have seen.
  Index sequences() const { return steps() * settings_.batch_size; }

  /// Makes one update. Returns the cost of a sequence in bits.
  double step() override;

  /// Scores `sequences` fresh episodes of one size (0: sizes as in training), drawn from `seed`, one at a
  /// time.
  Score evaluate(Index sequences, EpisodeSize size, std::uint64_t seed) const;

  /// The probabilities [scored,B,O] that the model gives the bits it is to answer.
  Tensor answer(const Episode& episode, Trace* trace = nullptr) const;

  /// The cost of logits, on any device, for an episode in nats, summed over its steps, bits and batch.
  static Tensor cost(const Tensor& logits, const Episode& episode);

 private:
  Batch draw() override;
  Tensor cost(const Batch& batch) override;
  std::vector<NamedTensor> tensors() override;
  void load(const std::vector<NamedTensor>& tensors) override;
  Tensor logits(const Tensor& input, Index scored, Trace* trace = nullptr) const;

  Settings settings_;
  std::unique_ptr<Task> task_;
  std::variant<Ntm, LstmBaseline> model_;
};

}  // namespace fovea::ntm

#endif  // FOVEA_MODELS_NTM_LEARNER_H_
