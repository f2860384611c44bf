#ifndef FOVEA_MODELS_TRANSLATION_BEAM_SEARCH_H_
#define FOVEA_MODELS_TRANSLATION_BEAM_SEARCH_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "fovea/core/tensor.h"

/// Making a sentence from a model that knows what comes next: greedily, or with a beam. For any model: it is
/// seen through two functions, which share its states.

namespace fovea {

/// A model that writes R sentences at once. Rows are in the order of the sentences, one each at the start.
struct Writer {
  /// The logarithms of the probabilities [R,V] (f32, on any device) of what follows the tokens `last`, i32
  /// [R] on the host.
  std::function<Tensor(const Tensor& last)> next;
  /// From here on row i goes on from what row numbers[i] was: i32 [R'] on the host.
  std::function<void(const Tensor& numbers)> keep_rows;
};

/// A sentence, without begin and end.
struct Written {
  std::vector<std::int32_t> ids;
  double log_prob = 0;  ///< in nats, that of the end included
  bool ended = false;   ///< false: cut at the greatest length

  /// log_prob divided by ((5 + n) / 6)^alpha, n counting the end (Wu et al. 2016, eq. 14).
  double score(double alpha) const;
};

struct WriteOptions {
  std::int32_t begin = 2, end = 3;
  std::vector<std::int32_t> never = {0, 2};  ///< ids that are not written: padding and begin
  /// Most tokens of each sentence, without its end.
  std::vector<Index> most;
};

/// The likeliest token, again and again; `most` says how many sentences there are. Rows stay as they are.
std::vector<Written> write_greedily(const Writer& writer, const WriteOptions& options);

struct BeamOptions : WriteOptions {
  Index beam = 5;
  double length_penalty = 0.6;  ///< alpha; 0 favours short sentences
};

/// The best by score() of the sentences that a beam finds: at every step the `beam` likeliest unfinished ones
/// are kept; an end counts when it is among the `beam` likeliest continuations. A sentence is done when
/// `beam` ends have been found and none that is unfinished scores higher, or at the greatest length; its rows
/// are then dropped. With a beam of 1, as write_greedily().
std::vector<Written> beam_search(const Writer& writer, const BeamOptions& options);

}  // namespace fovea

#endif  // FOVEA_MODELS_TRANSLATION_BEAM_SEARCH_H_
