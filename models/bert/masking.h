#ifndef FOVEA_MODELS_BERT_MASKING_H_
#define FOVEA_MODELS_BERT_MASKING_H_

#include <cstdint>
#include <vector>

#include "fovea/core/generator.h"
#include "fovea/core/tensor.h"

/// What BERT learns from: texts with a part of their tokens hidden (Devlin et al. 2018, section 3.1).

namespace fovea::bert {

/// The ids that mean something to the training; those of bert_specials().
struct SpecialIds {
  std::int32_t begin = 2, end = 3;  ///< [CLS], [SEP]
  std::int32_t mask = 4;
  std::int32_t first = 5;  ///< of the ordinary tokens; those below are never hidden
};

struct MaskingOptions {
  double share = 0.15;       ///< of a row's ordinary tokens, rounded, but one at least
  double masked = 0.8;       ///< of the chosen ones, the share that becomes [MASK]
  double replaced = 0.1;     ///< the share that becomes any ordinary token; the rest stays as it is
  Index vocabulary = 30522;  ///< ids end here
  SpecialIds special = {};
};

/// A batch whose tokens at `places` are to be guessed.
struct Masked {
  Tensor ids;      ///< i32 [B,L]
  Tensor places;   ///< i32 [M]: row * L + column, rising
  Tensor targets;  ///< i32 [M]: what stood there
};

/// Hides tokens of ids [B,L] (i32). Which ones is drawn anew for every call, from `random` alone.
Masked mask_tokens(const Tensor& ids, const MaskingOptions& options, Generator& random);

/// A batch as the encoder takes it.
struct Pairs {
  Tensor ids;            ///< i32 [B,L]
  Tensor segments = {};  ///< i32 [B,L], or undefined
  Tensor follows = {};   ///< i32 [B]: 1 where the second text follows the first; or undefined
};

/// [CLS] text [SEP] of texts [B,N]: L = N + 2.
Pairs single_texts(const Tensor& texts, const SpecialIds& special = {});
/// [CLS] a [SEP] b [SEP], a being the first half of a text and b its second half; in every other row on
/// average b is another row's, drawn from `random`. L = N + 3; B must be 2 at least, and N too.
Pairs text_pairs(const Tensor& texts, const SpecialIds& special, Generator& random);

}  // namespace fovea::bert

#endif  // FOVEA_MODELS_BERT_MASKING_H_
