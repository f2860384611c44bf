#ifndef FOVEA_MODELS_DATA_TEXT_STREAM_H_
#define FOVEA_MODELS_DATA_TEXT_STREAM_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "fovea/core/generator.h"
#include "fovea/core/tensor.h"

namespace fovea {

/// What a language model sees and what it is to say: y is x one token later.
struct TextWindows {
  Tensor x, y;  ///< i32 [B,T]
};

struct TextStreamOptions {
  Index batch_size = 12;
  Index length = 64;  ///< T
};

/// Windows of T tokens out of one long text.
///
///     TextStream train(ids, {.batch_size = 12, .length = 64}, Generator(seed));
///     const TextWindows batch = train.next();
class TextStream {
 public:
  /// Throws unless there are length + 1 tokens or more, none negative.
  TextStream(std::vector<std::int32_t> ids, const TextStreamOptions& options, const Generator& random);

  /// B windows that begin anywhere, as nanoGPT draws them: independently, so there are no epochs.
  TextWindows next();
  /// The generator that decides where, as checkpoints keep it.
  Generator::State state() const { return random_.state(); }
  void set_state(const Generator::State& state) { random_.set_state(state); }

  /// The text cut into windows end to end, the last incomplete one left out: for validation.
  Index windows() const;
  /// Windows first, ..., first + count - 1 of these;.
  TextWindows consecutive(Index first, Index count) const;

  Index size() const { return static_cast<Index>(ids_.size()); }

 private:
  TextWindows at(const std::vector<Index>& starts) const;

  std::vector<std::int32_t> ids_;
  TextStreamOptions options_;
  Generator random_;
};

/// The first tokens for training and the last for validation: tinyshakespeare's usual cut is 0.9. At least
/// one token goes to each; throws for less than two.
std::pair<std::vector<std::int32_t>, std::vector<std::int32_t>> cut_text(const std::vector<std::int32_t>& ids,
                                                                         double part = 0.9);

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_TEXT_STREAM_H_
