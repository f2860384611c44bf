#ifndef FOVEA_OPS_SORT_H_
#define FOVEA_OPS_SORT_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// Elements in order, and where they stood in x, as i32.
struct Sorted {
  Tensor values, indices;
};

/// Sorted along `dim`: values = gather(x, dim, indices). Stable: equal elements keep their order; NaN comes
/// last in both directions. Any dtype. dx[indices] = dvalues.
Sorted sort(const Tensor& x, int dim = -1, bool descending = false);
/// The k largest along `dim`, largest first; a NaN is taken only when nothing else is left. Any dtype.
/// dx[indices] = dvalues, 0 elsewhere.
Sorted top_k(const Tensor& x, Index k, int dim = -1);

}  // namespace fovea

#endif  // FOVEA_OPS_SORT_H_
