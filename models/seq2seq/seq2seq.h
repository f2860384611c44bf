#ifndef FOVEA_MODELS_SEQ2SEQ_SEQ2SEQ_H_
#define FOVEA_MODELS_SEQ2SEQ_SEQ2SEQ_H_

#include <string>
#include <variant>
#include <vector>

#include "fovea/models/data/token_batches.h"
#include "fovea/models/layers/embedding.h"
#include "fovea/models/seq2seq/decoder.h"
#include "fovea/models/translation/beam_search.h"

namespace fovea::seq2seq {

struct Options : NetOptions {
  std::string net = "rnnsearch";             ///< rnnsearch or luong: net_names()
  Index source_words = 0, target_words = 0;  ///< sizes of the vocabularies
  std::int32_t pad = 0, begin = 2, end = 3;
};

/// The names of the networks.
std::vector<std::string> net_names();

/// A recurrent encoder-decoder: translates rows of word ids.
struct Seq2Seq {
  Embedding source, target;
  std::variant<RnnSearch, Luong> net;
  Dropout dropout;  ///< of the words' vectors and of the features
  Linear out;       ///< features -> words
  Tensor baseline;  ///< [1], of hard attention: the usual ln p of a word, a mean that forgets
  Options options;

  Seq2Seq() = default;
  Seq2Seq(const Options& options, Generator& random);

  /// The state before the first word. source i32 [B,S] padded behind, keep u8 [B,S], lengths i32 [B].
  State encode(const Tensor& source, const Tensor& keep, const Tensor& lengths) const;
  /// One step from words y, i32 [B].
  Step step(const Tensor& y, State& state) const;

  /// The mean cross-entropy, in nats, of the batch's target words (ends included, padding not), each
  /// predicted from the true words before it. With hard attention in training it adds what makes its gradient
  /// that of the expected cost: REINFORCE on ln p of the rest of the sentence, with a baseline. `steps`
  /// collects what every step gave.
  Tensor loss(const TokenBatch& batch, std::vector<Step>* steps = nullptr);
  /// ln p of every target word, as loss() sees it: f32 [B,T], 0 for padding.
  Tensor log_probs(const TokenBatch& batch) const;

  /// As beam_search.h takes it. Both outlive the writer. `steps` collects what every step of greedy writing
  /// gave.
  Writer writer(State& state, std::vector<Step>* steps = nullptr) const;

  void each(Visitor& v);

 private:
  struct Taught {
    Tensor features;   // [T B,F]: time first
    Tensor classes;    // i32 [T B]
    Tensor log_probs;  // [B,T] of hard attention's draws
  };
  Taught taught(const TokenBatch& batch, std::vector<Step>* steps) const;
  Tensor losses(const Taught& t) const;  // of every word, [T B], 0 for padding
};

}  // namespace fovea::seq2seq

#endif  // FOVEA_MODELS_SEQ2SEQ_SEQ2SEQ_H_
