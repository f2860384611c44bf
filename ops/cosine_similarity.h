#ifndef FOVEA_OPS_COSINE_SIMILARITY_H_
#define FOVEA_OPS_COSINE_SIMILARITY_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// K = u.v / (a b), a = sqrt(u.u + eps^2), b = sqrt(v.v + eps^2), over dimension `dim` (NTM eq. 6 with eps
/// inside the roots, so that a zero vector has K = 0 and a finite gradient). u and v broadcast, except in
/// `dim` itself, which the result does not have: memory [B,N,M] and key [B,1,M] give [B,N].
///   du = dK (v / (a b) - K u / a^2),  dv = dK (u / (a b) - K v / b^2)
Tensor cosine_similarity(const Tensor& u, const Tensor& v, int dim = -1, double eps = 1e-8);

}  // namespace fovea

#endif  // FOVEA_OPS_COSINE_SIMILARITY_H_
