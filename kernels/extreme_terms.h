#ifndef FOVEA_KERNELS_EXTREME_TERMS_H_
#define FOVEA_KERNELS_EXTREME_TERMS_H_

#include "fovea/kernels/scalar_math.h"

namespace fovea {

/// Whether x takes the place of `best`: it beats it, or it is the first NaN.
template <bool largest, class T>
FOVEA_HD bool wins(T x, T best) {
  return (largest ? x > best : x < best) | ((x != x) & (best == best));
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_EXTREME_TERMS_H_
