#ifndef FOVEA_OPS_REDUCTION_H_
#define FOVEA_OPS_REDUCTION_H_

#include "fovea/core/shape.h"

namespace fovea {

/// What a loss makes of its elements: their mean, their sum, or the elements themselves. The mean of none is
/// 0.
enum class Reduction { mean, sum, none };

namespace detail {

/// The shape of a loss whose elements have shape `elements`, and the factor of their sum.
inline Shape reduced(Reduction r, const Shape& elements) { return r == Reduction::none ? elements : Shape(); }
inline double reduced_scale(Reduction r, Index n) {
  return r == Reduction::mean && n > 0 ? 1.0 / static_cast<double>(n) : 1;
}

}  // namespace detail
}  // namespace fovea

#endif  // FOVEA_OPS_REDUCTION_H_
