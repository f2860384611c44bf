#ifndef FOVEA_TESTS_BACKWARDS_H_
#define FOVEA_TESTS_BACKWARDS_H_

#include "fovea/core/generator.h"
#include "fovea/models/data/token_batches.h"

namespace fovea::tests {

/// Sentences of one to four of the ids 4 to 3 + `words`, to be written backwards, each id `higher` by so
/// many.
inline TokenPairs backwards(int count, std::uint64_t seed, std::uint32_t words = 6, std::int32_t higher = 0) {
  Generator random(seed);
  TokenPairs out;
  for (int i = 0; i < count; ++i) {
    TokenIds x;
    for (std::uint32_t n = 1 + random.below(4); n > 0; --n)
      x.push_back(4 + static_cast<std::int32_t>(random.below(words)));
    TokenIds y(x.rbegin(), x.rend());
    for (std::int32_t& id : y) id += higher;
    out.source.push_back(x);
    out.target.push_back(y);
  }
  return out;
}

}  // namespace fovea::tests

#endif  // FOVEA_TESTS_BACKWARDS_H_
