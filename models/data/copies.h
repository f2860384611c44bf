#ifndef FOVEA_MODELS_DATA_COPIES_H_
#define FOVEA_MODELS_DATA_COPIES_H_

#include "fovea/core/generator.h"
#include "fovea/models/data/parallel_text.h"

namespace fovea {

struct CopiesOptions {
  std::uint32_t symbols = 10;  ///< "1", "2", ...
  std::size_t length = 10;     ///< symbols of a sentence
};

/// The first thing that a translation model should learn: sentences of random symbols, each its own
/// translation. Symbols stand between spaces. Pair i depends on the generator and i alone.
///
///     3 10 1 1 7 4 9 2 2 6       3 10 1 1 7 4 9 2 2 6
ParallelText copies(std::size_t count, const Generator& random, const CopiesOptions& options = {});

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_COPIES_H_
