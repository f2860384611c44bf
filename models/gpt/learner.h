#ifndef FOVEA_MODELS_GPT_LEARNER_H_
#define FOVEA_MODELS_GPT_LEARNER_H_

#include <string>
#include <vector>

#include "fovea/models/data/text_stream.h"
#include "fovea/models/gpt/gpt.h"
#include "fovea/models/training/learner.h"

namespace fovea::gpt {

/// Everything that decides a training run but for the text itself.
struct Settings : FamilySettings<Settings> {
  static constexpr const char* family = "gpt";

  std::string data = "sample";  ///< the text; a name for the caller
  std::string characters = {};  ///< what tokens stand for, if they are characters; for the caller
  Index vocabulary = 0;         ///< kinds of tokens
  Index context = 64;
  int layers = 4;
  Index heads = 4, width = 128;
  double dropout = 0;
  bool bias = false;
  std::string dtype = "f32";  ///< of activations and products in training: f32 or bf16

  std::vector<Setting> own();
};

/// nanoGPT's settings for characters: "cpu" (0.8 million parameters, 2000 updates) or "gpu" (10.6 million,
/// 5000 updates).
Settings settings_for(const std::string& preset);

/// The first tokens of a text to learn from, and the last to validate with.
struct Text {
  std::vector<std::int32_t> train, validation;
};

/// A GPT that learns a text.
class Learner : public fovea::Learner {
 public:
  /// Without a text it can only be used.
  explicit Learner(const Settings& settings, Text text = {});

  const Settings& settings() const { return settings_; }
  std::string settings_json() const override { return settings_.to_json(); }
  const Gpt& model() const { return model_; }
  Gpt& model() { return model_; }

  /// The mean cost in nats of the validation text, cut into windows end to end (an incomplete batch of them
  /// left out); of some `windows` of them, evenly spread, unless that is 0.
  double validation_loss(Index windows = 0);
  /// What the validation text costs one who knows only how often each token comes in the training text.
  double unigram_loss() const;

  Checkpoint checkpoint() override;
  void restore(const Checkpoint& checkpoint) override;

 private:
  Batch draw() override;
  Tensor cost(const Batch& batch) override;
  std::vector<NamedTensor> tensors() override { return named_tensors(model_); }
  void load(const std::vector<NamedTensor>& tensors) override;

  Settings settings_;
  Text text_;
  Gpt model_;
  std::vector<TextStream> streams_;  // training and validation, or none
};

}  // namespace fovea::gpt

#endif  // FOVEA_MODELS_GPT_LEARNER_H_
