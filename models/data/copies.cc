#include "fovea/models/data/copies.h"

#include "fovea/core/error.h"

namespace fovea {

ParallelText copies(std::size_t count, const Generator& random, const CopiesOptions& o) {
  require(o.symbols > 0 && o.length > 0, "copies", "symbols is ", o.symbols, " and length ", o.length,
          "; both must be at least 1");
  ParallelText out;
  for (std::size_t i = 0; i < count; ++i) {
    Generator own = random.fork(i);
    std::string text;
    for (std::size_t k = 0; k < o.length; ++k) text += cat(k > 0 ? " " : "", 1 + own.below(o.symbols));
    out.source.push_back(text);
    out.target.push_back(text);
  }
  return out;
}

}  // namespace fovea
