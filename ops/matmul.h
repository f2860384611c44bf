#ifndef FOVEA_OPS_MATMUL_H_
#define FOVEA_OPS_MATMUL_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// Matrix product: a [...,m,k] b [...,k,n] -> [...,m,n]; leading dimensions broadcast, both have rank >= 2.
/// Transposed views are used as they are. Gradients: da = dy b^T, db = a^T dy, summed where an operand was
/// broadcast.
Tensor matmul(const Tensor& a, const Tensor& b);

}  // namespace fovea

#endif  // FOVEA_OPS_MATMUL_H_
