#ifndef FOVEA_MODELS_TRANSFORMER_TRANSFORMER_H_
#define FOVEA_MODELS_TRANSFORMER_TRANSFORMER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "fovea/models/data/token_batches.h"
#include "fovea/models/layers/embedding.h"
#include "fovea/models/layers/rounding.h"
#include "fovea/models/layers/transformer.h"
#include "fovea/models/translation/beam_search.h"
#include "fovea/ops/linear_cross_entropy.h"

/// The Transformer that translates (Vaswani et al. 2017): the stacks of models/layers/transformer.h with
/// words at both ends.

namespace fovea::transformer {

/// TransformerOptions are those of every layer; their dropout is that of sub-layers and of the sum of word
/// and position, as in the paper. With norm_first both stacks end in a norm, otherwise in none.
struct Options : TransformerOptions {
  int layers = 6;                            ///< of the encoder, and of the decoder
  Index source_words = 0, target_words = 0;  ///< sizes of the vocabularies
  bool tied = true;                ///< one matrix for source, target and output; needs one vocabulary
  double attention_dropout = 0;    ///< of attention weights (Tensor2Tensor: 0.1)
  double relu_dropout = 0;         ///< between a layer's two linear layers (likewise)
  DType activations = DType::f32;  ///< in training: see Rounding
  std::int32_t pad = 0;
};

/// Where sentences stand while they are written; copies share the caches.
struct State {
  Tensor memory;                      ///< [R,S,E], what the encoder made of the sources
  Tensor keep;                        ///< u8 [R,1,1,S]
  DecoderCache cache;                 ///< keys and values of the words so far, and of the memory
  Index position = 0;                 ///< words read
  std::vector<std::int32_t> sources;  ///< which source each row translates

  /// Row i goes on from what row numbers[i] was: i32 [R'] on the host.
  void keep_rows(const Tensor& numbers);
};

struct Transformer {
  Transformer() = default;
  /// Matrices start as Xavier's (queries, keys and values as one), biases as 0, words as N(0, 1 / E).
  Transformer(const Options& options, Generator& random);

  /// Words at positions first, ...: ids i32 [B,L] -> sqrt(E) word + sinusoidal position, [B,L,E].
  Tensor embed(const Embedding& words, const Tensor& ids, Index first = 0) const;
  /// source i32 [B,S] padded behind, keep u8 [B,S] -> [B,S,E]. `weights` takes one [B,H,S,S] a layer.
  Tensor encode(const Tensor& source, const Tensor& keep, std::vector<Tensor>* weights = nullptr) const;
  /// What comes before the output layer: words so far i32 [B,T], memory [B,S,E], keep u8 [B,S] -> [B,T,E].
  /// `weights` takes what is seen of the memory, one [B,H,T,S] a layer.
  Tensor decode(const Tensor& words, const Tensor& memory, const Tensor& keep,
                std::vector<Tensor>* weights = nullptr) const;

  /// The mean cross-entropy, in nats, of the batch's target words (ends included, padding not), each
  /// predicted from the true words before it. The logits never exist as a whole.
  Tensor loss(const TokenBatch& batch, LinearCrossEntropyOptions smoothing = {}) const;
  /// ln p of every word at every position: [B,T,V].
  Tensor log_probs(const TokenBatch& batch) const;

  /// The state before the first word, with room for translations of up to `most` words and their end.
  State start(const Tensor& source, const Tensor& keep, Index most) const;
  /// One step: ln p of what follows `words`, i32 [R] -> [R,V].
  Tensor step(const Tensor& words, State& state) const;
  /// As beam_search.h takes it; the state outlives the writer.
  Writer writer(State& state) const;

  void each(Visitor& v);

  Options options;
  Embedding source, target;
  TransformerEncoder encoder;
  TransformerDecoder decoder;
  Linear out;  ///< without bias
  Dropout dropout;
  Rounding rounding;
};

/// What label smoothing gives a share eps of the target to. Of V words:
enum class Smoothing {
  all,     ///< eps / V to each, the true one too (Szegedy et al. 2016, which the paper cites; PyTorch)
  others,  ///< eps / (V - 1) to each but the true one (fairseq, Tensor2Tensor)
  words,   ///< eps / (V - 2) to each but the true one and padding (the Annotated Transformer)
};
/// The Smoothing of this name.
Smoothing smoothing_named(const std::string& name);
/// The names.
std::vector<std::string> smoothing_names();
/// The same as the op takes it, which smooths over `all`: a larger eps then leaves 1 - eps to the true word.
LinearCrossEntropyOptions smoothed(Smoothing smoothing, double eps, Index words, std::int32_t pad);

}  // namespace fovea::transformer

#endif  // FOVEA_MODELS_TRANSFORMER_TRANSFORMER_H_
