#ifndef FOVEA_OPS_CIRCULAR_CONVOLUTION_H_
#define FOVEA_OPS_CIRCULAR_CONVOLUTION_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// The shift of NTM eq. 8, a true convolution on a ring: w [..,N], s [..,S] -> y [..,N] with the same leading
/// dimensions,
///   y(i) = sum_j w(j) s((i - j) mod N)
/// S is odd and at most N; s holds the weights of the shifts -(S-1)/2 .. (S-1)/2 in this order, and the
/// weight of +1 moves mass from row j to row j + 1.
///   dw(j) = sum_i dy(i) s((i - j) mod N),  ds(k) = sum_i dy(i) w((i - k) mod N)
Tensor circular_convolution(const Tensor& w, const Tensor& s);

}  // namespace fovea

#endif  // FOVEA_OPS_CIRCULAR_CONVOLUTION_H_
