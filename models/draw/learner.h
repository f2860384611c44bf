#ifndef FOVEA_MODELS_DRAW_LEARNER_H_
#define FOVEA_MODELS_DRAW_LEARNER_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "fovea/models/data/labelled_images.h"
#include "fovea/models/draw/classifier.h"
#include "fovea/models/draw/draw.h"
#include "fovea/models/layers/conv_net.h"
#include "fovea/models/training/learner.h"

namespace fovea::draw {

/// Everything that decides a training run but for the pictures themselves.
struct Settings : FamilySettings<Settings> {
  static constexpr const char* family = "draw";

  std::string task = "mnist";
  std::string data = "drawn";  ///< the pictures, or what scenes are made of; a name for the caller
  /// draw; classifier, which looks and names the class; or one of its baselines, which see all at once:
  /// convnet (two convolutions with pooling) and shallow (one without: the two layers of Mnih et al. 2014).
  std::string model = "draw";
  Index height = 28, width = 28, channels = 1;
  Index classes = 10;   ///< of a classifier
  Index glimpses = 10;  ///< T
  Index latent = 10;
  Index hidden = 256;
  bool attention = true;
  Index read_size = 5, write_size = 5;  ///< N
  bool learned_start = true;
  /// How grey values become the pixels that are learned: sampled (1 with the probability of the grey value,
  /// drawn anew every time a picture is seen), threshold (1 from a half on) or grey (as they are, whose cost
  /// in nats compares with nothing else). Pictures that are binary already stay as they are in all three. The
  /// classifier sees grey.
  std::string pixels = "sampled";
  std::string dtype = "f32";  ///< of weights and arithmetic: f32 or f64

  /// Whether the model names classes, and draws nothing.
  bool classifies() const { return model != "draw"; }
  /// Whether it sees through windows.
  bool looks() const { return attention && (model == "draw" || model == "classifier"); }

  std::vector<Setting> own();
};

/// mnist, two-digits, cifar and cluttered.
std::vector<std::string> task_names();
/// What a task is, in a line.
std::string about(const std::string& task);

/// The settings of table 3 in the paper (preset "paper"), or small ones that learn in an hour ("default").
Settings settings_for(const std::string& task, const std::string& preset);

/// How well a model does on a set of pictures, as means over them.
struct Score {
  double nats = 0;                    ///< the bound on -ln p(x), or a classifier's cross-entropy
  double reconstruction = 0, kl = 0;  ///< what the bound is made of
  std::vector<double> kl_per_step;    ///< [T]
  double wrong_fraction = 0;          ///< of a classifier
};

/// DRAW, its classifier, or a conv net to compare that with, that learns a set of pictures. Pictures are u8
/// [N,C,H,W]; for the tasks two-digits and cluttered they are digits, of which scenes are composed, new ones
/// in every epoch.
class Learner : public fovea::Learner {
 public:
  /// Without pictures it can do all that needs none, such as drawing its own. A learned canvas starts as the
  /// mean of 1000 of them.
  explicit Learner(const Settings& settings, PictureSet pictures = {});

  const Settings& settings() const { return settings_; }
  std::string settings_json() const override { return settings_.to_json(); }
  /// 0 without pictures.
  Index batches_per_epoch() const { return loader_ ? loader_->batches_per_epoch() : 0; }
  /// Passes over the training pictures made so far.
  double epochs() const { return static_cast<double>(steps()) / static_cast<double>(batches_per_epoch()); }

  const PictureSet& pictures() const { return pictures_; }
  /// Training pictures as the first epoch has them; test pictures, always the same.
  LabelledImages train_pictures(std::span<const Index> numbers) const;
  LabelledImages test_pictures(std::span<const Index> numbers) const;
  /// Pictures as the model takes them: f32 in [0, 1], made binary as the settings say.
  Tensor pixels(const Tensor& images, Generator& random) const;

  /// The bound of the pictures that updates have seen since this was last asked, and its two parts.
  Score take_training_score();
  /// Scores `count` test pictures, evenly spread over the set (0: all), with one draw of the latents each,
  /// from `seed`.
  Score evaluate(Index count, std::uint64_t seed) const;

  /// n pictures that DRAW makes up, or its versions of given ones: probabilities [B,C,H,W].
  Tensor generate(Index n, std::uint64_t seed, Trace* trace = nullptr) const;
  Tensor reconstruct(const Tensor& images, std::uint64_t seed, Trace* trace = nullptr) const;
  /// What a classifier gives each class: probabilities [B,classes]. A conv net leaves no trace.
  Tensor classify(const Tensor& images, Trace* trace = nullptr) const;

 private:
  Batch draw() override;
  Tensor cost(const Batch& batch) override;
  std::vector<NamedTensor> tensors() override;
  void load(const std::vector<NamedTensor>& tensors) override;
  Loader* loader() override { return loader_ ? &*loader_ : nullptr; }

  const Draw& model() const;
  Tensor logits(const Tensor& x, Trace* trace = nullptr) const;
  void check(const LabelledImages& pictures) const;
  LabelledImages scenes(const LabelledImages& from, std::span<const Index> indices,
                        const Generator& random) const;
  static Tensor returned(const Tensor& probabilities, Trace* trace);  // f32, on the host as the trace

  Settings settings_;
  PictureSet pictures_;
  std::variant<Draw, DrawClassifier, ConvNet> model_;
  std::optional<Loader> loader_;
  Index seen_ = 0;  // pictures, since the training score was last asked
  Tensor totals_;   // f64 [2] on the device: of their reconstruction and KL
};

}  // namespace fovea::draw

#endif  // FOVEA_MODELS_DRAW_LEARNER_H_
