#ifndef FOVEA_MODELS_BERT_SENTENCES_H_
#define FOVEA_MODELS_BERT_SENTENCES_H_

#include <cstdint>
#include <span>
#include <vector>

#include "fovea/models/bert/pretrained.h"

namespace fovea::bert {

/// The vectors of sentences, given as token ids with [CLS] and [SEP]: f32 [N,E], for Pooling::none [T,E] with
/// the T tokens of all sentences one after the other. Sentences of similar length go through the model
/// together, up to `batch_tokens` tokens with their padding; the result is in the order they came in. For
/// inference: nothing is recorded. The model may lie on any device; the vectors lie on the host. Throws where
/// one is not finite.
Tensor embed(const Encoder& encoder, std::span<const std::vector<std::int32_t>> sentences,
             const SentenceOptions& options, Index batch_tokens = 512);

}  // namespace fovea::bert

#endif  // FOVEA_MODELS_BERT_SENTENCES_H_
