#ifndef FOVEA_MODELS_SEQ2SEQ_LEARNER_H_
#define FOVEA_MODELS_SEQ2SEQ_LEARNER_H_

#include <optional>
#include <string>
#include <vector>

#include "fovea/models/seq2seq/seq2seq.h"
#include "fovea/models/training/learner.h"

namespace fovea::seq2seq {

/// Everything that decides a training run but for the sentences themselves.
struct Settings : FamilySettings<Settings> {
  static constexpr const char* family = "seq2seq";

  std::string task = "dates";                ///< a name for the caller
  std::string source = "en", target = "de";  ///< languages; likewise
  Index merges = 0;                          ///< of byte-pair encoding, learned on both sides; 0: whole words
  Index min_count = 2;                       ///< rarer words are unknown

  std::string net = "rnnsearch";
  std::string attention = "concat";
  Index embedding = 128, hidden = 256;
  Index encoder_hidden = 0;
  int layers = 1;
  Index half_width = 10;
  bool input_feeding = true;
  Index features = 0;
  double dropout = 0.3;
  Index source_words = 1, target_words = 1;  ///< of the vocabularies
  Index most_length = 100;                   ///< tokens of a sentence

  std::vector<Setting> own();
};

/// dates and multi30k.
std::vector<std::string> task_names();
/// What a task is, in a line.
std::string about(const std::string& task);
/// What a run of some minutes learns it with.
Settings settings_for(const std::string& task);

/// The options of the network that settings describe.
Options options_of(const Settings& settings);

/// A network that learns to translate. It knows ids only.
class Learner : public fovea::Learner {
 public:
  /// Without pairs it can translate but not learn. `about_words` is kept in checkpoints: what its ids mean.
  Learner(const Settings& settings, TokenPairs train = {}, TokenPairs validation = {},
          std::vector<NamedTensor> about_words = {});

  const Settings& settings() const { return settings_; }
  std::string settings_json() const override { return settings_.to_json(); }
  Index batches_per_epoch() const { return batches_ ? batches_->batches_in_epoch() : 0; }
  double epochs() const;
  const std::vector<NamedTensor>& about_words() const { return about_words_; }

  double step() override;
  Checkpoint checkpoint() override;
  void restore(const Checkpoint& checkpoint) override;

  /// The mean cross-entropy of the validation pairs' words, in nats, each predicted from the true ones
  /// before.
  double validate();

  /// Translations of sentences of ids (without end), greedily or with a beam; any number, in their order.
  /// A translation has at most 2 n + 10 words.
  std::vector<Written> translate(const std::vector<TokenIds>& sentences, Index beam = 1,
                                 double length_penalty = 1);
  /// The greedy translation of one sentence, and what was looked at: f32 [T,S], a row for every word and the
  /// end, a column for every word and the end. Undefined without attention.
  struct Looked {
    Written written;
    Tensor weights;
  };
  Looked look(const TokenIds& sentence);

 private:
  Tensor cost() override;
  std::vector<NamedTensor> tensors() override;
  void load(const std::vector<NamedTensor>& tensors) override;

  Settings settings_;
  Seq2Seq model_;
  std::optional<TokenBatches> batches_;
  std::vector<TokenBatch> validation_;
  std::vector<NamedTensor> about_words_;
};

}  // namespace fovea::seq2seq

#endif  // FOVEA_MODELS_SEQ2SEQ_LEARNER_H_
