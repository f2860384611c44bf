#ifndef FOVEA_KERNELS_AROUND_H_
#define FOVEA_KERNELS_AROUND_H_

#include "fovea/core/shape.h"

namespace fovea {

/// A row-major shape around one dimension: (outer, size, inner).
struct Around {
  Index outer = 1, size, inner = 1;
  Around(const Shape& shape, int dim) : size(shape[dim]) {
    for (int d = 0; d < shape.rank(); ++d)
      if (d != dim) (d < dim ? outer : inner) *= shape[d];
  }
};

}  // namespace fovea

#endif  // FOVEA_KERNELS_AROUND_H_
