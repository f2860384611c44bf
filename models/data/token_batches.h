#ifndef FOVEA_MODELS_DATA_TOKEN_BATCHES_H_
#define FOVEA_MODELS_DATA_TOKEN_BATCHES_H_

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "fovea/core/generator.h"
#include "fovea/core/tensor.h"

namespace fovea {

using TokenIds = std::vector<std::int32_t>;

/// Sentence pairs as ids, without begin and end.
struct TokenPairs {
  std::vector<TokenIds> source, target;
};

struct TokenBatchesOptions {
  Index tokens = 4096;       ///< most cells of a batch, the padding included: B * max(S, T)
  Index most_sentences = 0;  ///< of a batch; 0: no limit but `tokens`
  Index most_length = 256;   ///< a longer sentence, with its end token, is an error
  bool shuffle = true;       ///< a new order and new batches every epoch; otherwise sorted by length
  std::int32_t pad = 0, begin = 2, end = 3;
  bool end_source = true;  ///< the source ends in `end` too
  /// Lengths are padded to multiples of it, and every epoch has batches of the same few shapes, for a GPU to
  /// replay; 1: to the longest of each batch.
  Index pad_to = 1;
};

/// A batch for teacher forcing: rows are sentences, padded behind.
struct TokenBatch {
  Tensor source;               ///< i32 [B,S]
  Tensor source_lengths;       ///< i32 [B]
  Tensor source_keep;          ///< u8 [B,S], 1 where there is a token: a keep_mask
  Tensor input;                ///< i32 [B,T]: begin, y_1, ..., y_n
  Tensor output;               ///< i32 [B,T]: y_1, ..., y_n, end
  Tensor target_lengths;       ///< i32 [B]: n + 1
  Tensor target_keep;          ///< u8 [B,T]
  Index target_tokens;         ///< the sum of target_lengths
  std::vector<Index> indices;  ///< which pairs these are

  Index size() const { return source.size(0); }
};

/// Batches of sentence pairs of about equal length, without end, epoch after epoch.
///
/// An epoch takes every pair once. Pairs are put in a random order, then sorted by length (the longer side
/// first, then the source), so that equally long ones meet others every epoch; cut into batches of at most
/// `tokens` cells; and the batches are put in a random order. All follows from the generator and the number
/// of the epoch, so a run resumes bit for bit.
class TokenBatches {
 public:
  /// Throws Error, naming the pair: sides of different counts, an empty sentence, one that is longer than
  /// `most_length` or than a batch, a negative id.
  TokenBatches(TokenPairs pairs, const TokenBatchesOptions& options, const Generator& random);

  TokenBatch next();

  /// Batches of the epoch that next() takes from; epochs may differ.
  Index batches_in_epoch() const;
  Index epoch() const { return epoch_; }
  /// The place in it of the batch that next() gives; 0 <= position() < batches_in_epoch().
  Index position() const { return position_; }

  /// Where it stands, as checkpoints keep it; its offset is epoch * 2^32 + position. Another one of the same
  /// pairs and options goes on from there with the same batches.
  Generator::State state() const;
  /// Throws where there is no such position.
  void set_state(const Generator::State& state);

  /// One epoch from the shortest to the longest, in order: for validation.
  std::vector<TokenBatch> all() const;

 private:
  using Plan = std::vector<std::vector<Index>>;
  Plan plan(std::vector<Index> order) const;
  void start_epoch(Index epoch);

  TokenPairs pairs_;
  TokenBatchesOptions options_;
  Generator random_;
  Plan plan_;
  Index epoch_ = 0, position_ = 0;
};

/// A batch for a model on a device. Lengths stay on the host, which reads them.
TokenBatch to(TokenBatch batch, const Device& device);

/// One batch of these pairs, in this order.
TokenBatch make_token_batch(const TokenPairs& pairs, std::span<const Index> indices,
                            const TokenBatchesOptions& options = {});

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_TOKEN_BATCHES_H_
