#ifndef FOVEA_MODELS_TRANSLATION_LEARNER_H_
#define FOVEA_MODELS_TRANSLATION_LEARNER_H_

#include <optional>
#include <string>
#include <vector>

#include "fovea/models/data/token_batches.h"
#include "fovea/models/layers/embedding.h"
#include "fovea/models/training/average.h"
#include "fovea/models/training/learner.h"
#include "fovea/models/translation/beam_search.h"
#include "fovea/models/translation/task.h"

namespace fovea {

/// A model that learns to translate; it knows ids only. A family says what a batch costs and how sentences
/// are written; updates, validation, translating and checkpoints are the same for all.
class TranslationLearner : public Learner {
 public:
  const TranslationTask& task() const { return task_; }
  Index batches_per_epoch() const { return batches_ ? batches_->batches_in_epoch() : 0; }
  double epochs() const;
  const std::vector<NamedTensor>& about_words() const { return about_words_; }

  double step() override;
  Checkpoint checkpoint() override;
  void restore(const Checkpoint& checkpoint) override;

  /// The mean cross-entropy of the validation pairs' words, in nats, each predicted from the true ones
  /// before.
  double validate();
  /// From here on these are the pairs to validate with.
  void validate_with(TokenPairs pairs);

  /// Translations of sentences of ids (without end), greedily or with a beam; any number, in their order.
  /// A translation has at most 2 n + 10 words.
  std::vector<Written> translate(const std::vector<TokenIds>& sentences, Index beam = 1,
                                 double length_penalty = 1);
  /// Whether there is attention.
  virtual bool attends() const { return true; }
  /// What is looked at while this translation of a sentence is written: a map f32 [T,S] for every head (a row
  /// for every word and the end, a column for every word and the end). No map without attention.
  std::vector<Tensor> look(const TokenIds& sentence, const Written& written);
  /// Where local attention's window has its middle meanwhile, in numbers of the source's words: f32 [T].
  /// Empty where there is none.
  std::vector<float> middles(const TokenIds& sentence, const Written& written);
  /// The greedy translation, and what is looked at.
  struct Looked {
    Written written;
    std::vector<Tensor> maps = {};
  };
  Looked look(const TokenIds& sentence);
  /// How much each word read bears on each word written: G[i,j] = |d log p(y_i | ...) / d e(x_j)|, f32 [T,S],
  /// where e(x_j) is the vector of the source's j-th word; rows and columns as in a map. After Kalchbrenner
  /// et al. 2016 (arXiv 1610.10099, section 6).
  Tensor gradients(const TokenIds& sentence, const Written& written);

  /// How many moments the mean of the weights is of, so far.
  Index averaged() const { return average_ ? average_->count() : 0; }
  /// From here on translations and validation use the mean of the weights, where there is one, or the weights
  /// again. step() needs the weights.
  void use_averages(bool use);

 protected:
  /// `about_words` is kept in checkpoints: what the ids mean.
  TranslationLearner(const TrainingSettings& settings, const TranslationTask& task,
                     std::vector<NamedTensor> about_words);
  /// To be called once the model is there. Without pairs it can translate but not learn.
  template <Layer Model>
  void start(Model& model, TokenPairs train, TokenPairs validation) {
    Learner::start(model);
    learn_from(std::move(train), std::move(validation));
  }

  /// What the words of a batch cost: the mean. Here and below, batches lie on the model's device. `training`:
  /// as it is learned from.
  virtual Tensor loss(const TokenBatch& batch, bool training) = 0;
  /// Writes translations of a batch's sources, of at most `most` words each.
  virtual Writer writer(const TokenBatch& batch, Index most) = 0;
  /// What is looked at while the target of a batch of one pair is written: see look().
  virtual std::vector<Tensor> maps(const TokenBatch& batch) = 0;
  /// See middles(): one tensor, or none.
  virtual std::vector<Tensor> windows(const TokenBatch&) { return {}; }
  /// The vectors of the source's words.
  virtual Embedding& source_embedding() = 0;
  /// Throws for an empty sentence, and for an id that is not in the source's vocabulary.
  void check(const TokenIds& sentence) const;

 private:
  void learn_from(TokenPairs train, TokenPairs validation);
  TokenBatch batch_of(const TokenIds& sentence, const Written& written) const;
  Batch draw() override;
  Tensor cost(const Batch& batch) override;

  TranslationTask task_;
  Index batch_size_, last_step_;
  std::optional<TokenBatches> batches_;
  TokenBatch next_;  // to learn from
  std::vector<TokenBatch> validation_;
  std::vector<NamedTensor> about_words_;
  std::optional<AverageWeights> average_;
  bool averages_used_ = false;
};

/// How the pairs of a task are cut into batches.
TokenBatchesOptions batch_options(const TranslationTask& task, Index batch_size);

}  // namespace fovea

#endif  // FOVEA_MODELS_TRANSLATION_LEARNER_H_
