#ifndef FOVEA_MODELS_SEQ2SEQ_LEARNER_H_
#define FOVEA_MODELS_SEQ2SEQ_LEARNER_H_

#include <string>
#include <vector>

#include "fovea/models/seq2seq/seq2seq.h"
#include "fovea/models/translation/learner.h"

namespace fovea::seq2seq {

/// Everything that decides a training run but for the sentences themselves.
struct Settings : FamilySettings<Settings>, TranslationTask {
  static constexpr const char* family = "seq2seq";

  std::string net = "rnnsearch";
  std::string attention = "concat";
  Index embedding = 128, hidden = 256;
  Index encoder_hidden = 0;
  int layers = 1;
  Index half_width = 10;
  bool input_feeding = true;
  Index features = 0;
  double dropout = 0.3;

  Settings() { model = family; }
  std::vector<Setting> own();
};

/// What a run of some minutes learns a task with, by a network of net_names() with one of attentions().
Settings settings_for(const std::string& task, const std::string& net = "rnnsearch",
                      const std::string& attention = "concat");
/// Whether such a network takes twice the epochs of a made task, and a higher learning rate: Luong's, and
/// local-p, which has to find its window first.
bool learns_slowly(const Settings& settings);

/// The options of the network that settings describe.
Options options_of(const Settings& settings);

/// A network that learns to translate.
class Learner : public TranslationLearner {
 public:
  Learner(const Settings& settings, TokenPairs train = {}, TokenPairs validation = {},
          std::vector<NamedTensor> about_words = {});

  const Settings& settings() const { return settings_; }
  std::string settings_json() const override { return settings_.to_json(); }
  bool attends() const override { return settings_.attention != "none"; }

 private:
  Tensor loss(const TokenBatch& batch, bool training) override;
  Writer writer(const TokenBatch& batch, Index most) override;
  std::vector<Tensor> maps(const TokenBatch& batch) override;
  std::vector<Tensor> windows(const TokenBatch& batch) override;
  std::vector<Tensor> all(const TokenBatch& batch, Tensor Step::*part);  // of all steps, [T,*]; or none
  Embedding& source_embedding() override { return model_.source; }
  std::vector<NamedTensor> tensors() override;
  void load(const std::vector<NamedTensor>& tensors) override;

  Settings settings_;
  Seq2Seq model_;
};

}  // namespace fovea::seq2seq

#endif  // FOVEA_MODELS_SEQ2SEQ_LEARNER_H_
