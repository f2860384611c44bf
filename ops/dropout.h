#ifndef FOVEA_OPS_DROPOUT_H_
#define FOVEA_OPS_DROPOUT_H_

#include "fovea/core/generator.h"
#include "fovea/core/tensor.h"

namespace fovea {

/// Inverted dropout (Srivastava et al. 2014): every element is 0 with probability p, else x / (1 - p); dx
/// likewise. 0 <= p < 1. x itself when p = 0 or not training, and then no random numbers are used. Element i
/// is dropped when the i-th random.uniform() from here on is below p.
Tensor dropout(const Tensor& x, double p, Generator& random, bool training = true);

}  // namespace fovea

#endif  // FOVEA_OPS_DROPOUT_H_
