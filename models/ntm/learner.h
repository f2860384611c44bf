#ifndef FOVEA_MODELS_NTM_LEARNER_H_
#define FOVEA_MODELS_NTM_LEARNER_H_

#include <filesystem>
#include <memory>
#include <string>
#include <variant>

#include "fovea/models/ntm/ntm.h"
#include "fovea/models/ntm/tasks.h"
#include "fovea/models/training/checkpoint.h"
#include "fovea/models/training/optimizer.h"
#include "fovea/models/training/schedule.h"

namespace fovea::ntm {

/// Everything that decides a training run, as numbers and words: a run is made again from these and its seed.
struct Settings {
  std::string task = "copy";
  std::string model = "ntm";        ///< ntm, or lstm: the paper's baseline
  std::string controller = "lstm";  ///< lstm or feedforward
  Index controller_size = 100;
  int controller_layers = 1;
  Index read_heads = 1, write_heads = 1;
  Index memory_rows = 128, memory_width = 20;
  std::string start = "constant";  ///< constant, learned or random
  std::string heads = "tanh";      ///< tanh or linear
  Index lstm_size = 256;           ///< of each of the baseline's three layers
  Index batch_size = 1;
  std::string optimizer = "adam";  ///< adam or rmsprop (Graves' form)
  double lr = 1e-3;
  std::string schedule = "cosine";  ///< of the learning rate: constant, or cosine: down to 0 at the last step
  double clip_norm = 10;            ///< 0: none
  double clip_value = 0;            ///< 0: none
  std::uint64_t seed = 1;
  Index steps = 1000;  ///< updates; each sees batch_size sequences

  /// One line of JSON, and back. from_json throws an Error that names a field it does not know.
  std::string to_json() const;
  static Settings from_json(const std::string& text);
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

/// A model in training: its parameters, its optimizer and its random numbers.
class Learner {
 public:
  explicit Learner(const Settings& settings);

  const Settings& settings() const { return settings_; }
  const Task& task() const { return *task_; }
  Index parameters() const;
  /// Updates made so far, and the sequences they have seen.
  Index steps() const { return optimizer_->steps(); }
  Index sequences() const { return steps() * settings_.batch_size; }

  /// Draws a batch and makes one update. Returns the cost of a sequence in bits. Throws when a number goes
  /// bad, naming step and tensor; the parameters are then as they were before the update.
  double step();

  /// Scores `sequences` fresh episodes of one size (0: sizes as in training), drawn from `seed`, one at a
  /// time.
  Score evaluate(Index sequences, EpisodeSize size, std::uint64_t seed) const;

  /// The probabilities [scored,B,O] that the model gives the bits it is to answer.
  Tensor answer(const Episode& episode, Trace* trace = nullptr) const;

  /// What a checkpoint holds of it. `meta` is kept beside the settings.
  Checkpoint checkpoint();
  /// Goes on where a checkpoint ends, bit for bit. Its settings must be this learner's.
  void restore(const Checkpoint& checkpoint);
  /// The settings in a checkpoint.
  static Settings settings_of(const Checkpoint& checkpoint);

  /// The weights alone, under PyTorch's names.
  void save_weights(const std::filesystem::path& file);

  /// The cost of logits for an episode in nats, summed over its steps, bits and batch.
  static Tensor cost(const Tensor& logits, const Episode& episode);

 private:
  Tensor logits(const Episode& episode, Trace* trace = nullptr) const;
  std::vector<NamedTensor> tensors();

  Settings settings_;
  std::unique_ptr<Task> task_;
  std::variant<Ntm, LstmBaseline> model_;
  Generator data_;
  std::unique_ptr<Optimizer> optimizer_;
  Schedule schedule_;
};

}  // namespace fovea::ntm

#endif  // FOVEA_MODELS_NTM_LEARNER_H_
