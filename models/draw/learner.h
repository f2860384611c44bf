#ifndef FOVEA_MODELS_DRAW_LEARNER_H_
#define FOVEA_MODELS_DRAW_LEARNER_H_

#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "fovea/models/draw/classifier.h"
#include "fovea/models/draw/draw.h"
#include "fovea/models/training/checkpoint.h"
#include "fovea/models/training/optimizer.h"
#include "fovea/models/training/schedule.h"

namespace fovea::draw {

/// Everything that decides a training run but for its data: a run is made again from these and its seed.
struct Settings {
  std::string task = "mnist";
  std::string model = "draw";  ///< draw, or classifier
  Index height = 28, width = 28, channels = 1;
  Index classes = 10;   ///< of the classifier
  Index glimpses = 10;  ///< T
  Index latent = 10;
  Index hidden = 256;
  bool attention = true;
  Index read_size = 5, write_size = 5;  ///< N
  bool learned_start = true;
  /// How grey values become the pixels that are learned: sampled (1 with the probability of the grey value,
  /// drawn anew every time a picture is seen), threshold (1 from a half on) or grey (as they are, whose cost
  /// in nats compares with nothing else). Pictures that are binary already stay as they are in all three.
  std::string pixels = "sampled";
  Index batch_size = 100;
  double lr = 1e-3;
  std::string schedule =
      "constant";        ///< of the learning rate: constant, or cosine: down to 0 at the last step
  double clip_norm = 5;  ///< 0: none
  std::uint64_t seed = 1;
  Index steps = 15000;  ///< updates; each sees batch_size pictures

  /// One line of JSON, and back. from_json throws an Error that names a field it does not know.
  std::string to_json() const;
  static Settings from_json(const std::string& text);
};

/// mnist, svhn, cifar and cluttered: the tasks of the paper's table 3.
std::vector<std::string> task_names();

/// The settings of a task in table 3 (preset "paper"), or small ones that learn in an evening ("default").
/// What the paper leaves open is the same in both but for the learning rate.
Settings settings_for(const std::string& task, const std::string& preset);

/// How well a model does on a set of pictures, as means over them.
struct Score {
  double nats = 0;                    ///< the bound on -ln p(x), or the classifier's cross-entropy
  double reconstruction = 0, kl = 0;  ///< what the bound is made of
  std::vector<double> kl_per_step;    ///< [T]
  double wrong_fraction = 0;          ///< of the classifier
};

/// A model in training: its parameters, its optimizer and its random numbers. The caller brings pictures
/// [B,C,H,W], u8 (0 to 255) or f32 (0 to 1), and for the classifier their classes [B], i32.
class Learner {
 public:
  explicit Learner(const Settings& settings);

  const Settings& settings() const { return settings_; }
  Index parameters() const;
  /// Updates made so far.
  Index steps() const { return optimizer_->steps(); }

  /// Makes one update on a batch. Returns its cost in nats a picture. Throws when a number goes bad, naming
  /// step and tensor; the parameters are then as they were before the update.
  double step(const Tensor& images, const Tensor& classes = {});

  /// Scores any number of pictures, with one draw of the latents each, from `seed`.
  Score evaluate(const Tensor& images, const Tensor& classes, std::uint64_t seed) const;
  Score evaluate(const Tensor& images, std::uint64_t seed) const { return evaluate(images, Tensor(), seed); }

  /// Pictures as the model takes them: f32 and made binary as the settings say.
  Tensor pixels(const Tensor& images, Generator& random) const;

  /// n pictures that DRAW makes up, or its versions of given ones: probabilities [B,C,H,W].
  Tensor generate(Index n, std::uint64_t seed, Trace* trace = nullptr) const;
  Tensor reconstruct(const Tensor& images, std::uint64_t seed, Trace* trace = nullptr) const;
  /// What the classifier gives each class: probabilities [B,classes].
  Tensor classify(const Tensor& images, Trace* trace = nullptr) const;

  /// What a checkpoint holds of it.
  Checkpoint checkpoint();
  /// Goes on where a checkpoint ends, bit for bit. Its settings must be this learner's.
  void restore(const Checkpoint& checkpoint);
  /// The settings in a checkpoint.
  static Settings settings_of(const Checkpoint& checkpoint);

  /// The weights alone.
  void save_weights(const std::filesystem::path& file);

 private:
  const Draw& draw() const;
  const DrawClassifier& classifier() const;
  std::vector<NamedTensor> tensors();

  Settings settings_;
  std::variant<Draw, DrawClassifier> model_;
  Generator noise_;  // latents, and pixels drawn from grey values
  std::unique_ptr<Optimizer> optimizer_;
  Schedule schedule_;
};

}  // namespace fovea::draw

#endif  // FOVEA_MODELS_DRAW_LEARNER_H_
