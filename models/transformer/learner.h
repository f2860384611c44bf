#ifndef FOVEA_MODELS_TRANSFORMER_LEARNER_H_
#define FOVEA_MODELS_TRANSFORMER_LEARNER_H_

#include <string>
#include <vector>

#include "fovea/models/transformer/transformer.h"
#include "fovea/models/translation/learner.h"

namespace fovea::transformer {

/// Everything that decides a training run but for the sentences themselves.
struct Settings : FamilySettings<Settings>, TranslationTask {
  static constexpr const char* family = "transformer";

  int layers = 4;
  Index heads = 4, width = 128, feedforward = 256;
  bool norm_first = false;
  bool tied = true;
  double dropout = 0.3;
  double attention_dropout = 0, relu_dropout = 0;
  double label_smoothing = 0.1;
  std::string smoothing = "others";
  std::string dtype = "f32";  ///< of activations and products in training: f32 or bf16

  Settings() { model = family; }
  std::vector<Setting> own();
};

/// toy (2 + 2 layers of 64), tiny (4 + 4 of 128, fairseq's for Multi30k) and base (the paper's).
std::vector<std::string> preset_names();
/// What learns a task. Without a preset: tiny, or toy where the task makes its own sentences.
Settings settings_for(const std::string& task, const std::string& preset = "");

/// The options of the network that settings describe.
Options options_of(const Settings& settings);

/// A Transformer that learns to translate.
class Learner : public TranslationLearner {
 public:
  Learner(const Settings& settings, TokenPairs train = {}, TokenPairs validation = {},
          std::vector<NamedTensor> about_words = {});

  const Settings& settings() const { return settings_; }
  std::string settings_json() const override { return settings_.to_json(); }

  /// Where the words of a sentence (and its end) look at each other in the encoder: one [H,S,S] a layer.
  std::vector<Tensor> self_attention(const TokenIds& sentence);

 private:
  Tensor loss(const TokenBatch& batch, bool training) override;
  Writer writer(const TokenBatch& batch, Index most) override;
  /// The last layer's heads.
  std::vector<Tensor> maps(const TokenBatch& batch) override;
  Embedding& source_embedding() override { return model_.source; }
  std::vector<NamedTensor> tensors() override { return named_tensors(model_); }
  void load(const std::vector<NamedTensor>& tensors) override;

  Settings settings_;
  Transformer model_;
};

}  // namespace fovea::transformer

#endif  // FOVEA_MODELS_TRANSFORMER_LEARNER_H_
