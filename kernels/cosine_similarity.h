#ifndef FOVEA_KERNELS_COSINE_SIMILARITY_H_
#define FOVEA_KERNELS_COSINE_SIMILARITY_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// k = u.v / (sqrt(u.u + eps^2) sqrt(v.v + eps^2)) over the last dimension of u and v, which have one shape
/// and any strides (0 where broadcast). k row-major.
void cosine_similarity_forward(Cpu, const View& u, const View& v, double eps, const View& k);
void cosine_similarity_forward(Cuda, const View& u, const View& v, double eps, const View& k);

/// du and dv, either of which may be unwanted; of u's shape, with stride 0 where contributions are summed.
void cosine_similarity_backward(Cpu, const View& u, const View& v, double eps, const View& dk,
                                const Target& du, const Target& dv);
void cosine_similarity_backward(Cuda, const View& u, const View& v, double eps, const View& dk,
                                const Target& du, const Target& dv);

}  // namespace fovea

#endif  // FOVEA_KERNELS_COSINE_SIMILARITY_H_
