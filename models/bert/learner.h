#ifndef FOVEA_MODELS_BERT_LEARNER_H_
#define FOVEA_MODELS_BERT_LEARNER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fovea/models/bert/bert.h"
#include "fovea/models/bert/masking.h"
#include "fovea/models/data/text_stream.h"
#include "fovea/models/training/learner.h"

namespace fovea::bert {

/// Everything that decides a training run but for the text itself.
struct Settings : FamilySettings<Settings> {
  static constexpr const char* family = "bert";

  std::string text = "sample";  ///< the text; a name for the caller
  std::string tokens = {};      ///< what ids stand for, a token a line; for the caller
  Index vocabulary = 4000;      ///< kinds of tokens
  Index context = 64;           ///< tokens of an example, [CLS] and [SEP] included
  Index layers = 4, heads = 4, width = 128;
  double dropout = 0.1;
  std::string dtype = "f32";   ///< of activations and products in training: f32 or bf16
  double deviation = 0.02;     ///< of the first weights
  double masked = 0.15;        ///< share of the tokens that training hides; validation hides 0.15
  bool next_sentence = false;  ///< learns also whether a text follows another
  bool left_only = false;      ///< learns instead to guess every token from those before it
  bool with_baseline = false;  ///< trains beside it a model of its size that is left_only

  std::vector<Setting> own();
};

/// "small" (two cores, minutes), "medium" (hours) or "base" (the paper's sizes).
Settings settings_for(const std::string& preset);

/// The tokens of a text to learn from, and others to validate with.
struct Text {
  std::vector<std::int32_t> train, validation;
};

/// A BERT that learns to guess hidden tokens (Devlin et al. 2018): a share of them, of which 80 % are shown
/// as [MASK], 10 % as some other token and 10 % as they are, drawn anew for every batch. Examples begin
/// anywhere in the text.
class Learner : public fovea::Learner {
 public:
  /// Without a text it can only be used.
  explicit Learner(const Settings& settings, Text text = {});

  const Settings& settings() const { return settings_; }
  std::string settings_json() const override { return settings_.to_json(); }
  const Bert& model() const { return model_.bert; }
  Bert& model() { return model_.bert; }
  /// From the pooled [CLS] to "does not follow" and "follows"; without parameters when it is not learned.
  const Linear& next() const { return model_.next; }
  /// The left-only model; null when there is none.
  Learner* baseline() { return baseline_.get(); }

  /// An update of the model, and one of the baseline from the same examples.
  double step() override;

  /// How well hidden tokens of the validation text are guessed.
  struct Score {
    double loss = 0;      ///< mean cost in nats
    double accuracy = 0;  ///< share of them whose likeliest token is the one that stood there
    std::optional<double> next_accuracy = {};  ///< share of pairs for which "follows" is right
  };
  /// The validation text is cut into examples end to end; `examples` of them, evenly spread, unless that is
  /// 0. Which tokens are hidden is the same every time and for every model: a left-only one is asked for the
  /// same tokens, and sees all that stands before them as it is.
  Score evaluate(Index examples = 0);
  /// The same for one who knows only how often each token comes in the training text, and says the most
  /// frequent one.
  Score unigrams() const;

  Checkpoint checkpoint() override;
  void restore(const Checkpoint& checkpoint) override;

 private:
  struct Model {
    Bert bert;
    Linear next;
    void each(Visitor& v);
  };
  struct Example;

  Batch draw() override;
  Tensor cost(const Batch& batch) override;
  std::vector<NamedTensor> tensors() override { return named_tensors(model_); }
  void load(const std::vector<NamedTensor>& tensors) override;

  Example example(const Tensor& texts, double share, Generator& random) const;
  Tensor encoded(const Example& e) const;
  template <class Use>
  void each_validation_batch(Index examples, const Use& use) const;

  Settings settings_;
  Text text_;
  Model model_;
  Generator masks_;                  // what training hides
  std::vector<TextStream> streams_;  // training and validation, or none
  std::unique_ptr<Learner> baseline_;
};

}  // namespace fovea::bert

#endif  // FOVEA_MODELS_BERT_LEARNER_H_
