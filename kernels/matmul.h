#ifndef FOVEA_KERNELS_MATMUL_H_
#define FOVEA_KERNELS_MATMUL_H_

#include "fovea/core/device.h"
#include "fovea/core/into.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// C [...,m,n] = A [...,m,k] B [...,k,n] (or +=). The leading dimensions of the three views are the same,
/// with stride 0 where an operand is broadcast; where C has stride 0 the products are summed. In the last two
/// dimensions C is row-major, and A and B have stride 1 in one of them.
void matmul(Cpu, const View& a, const View& b, const View& c, Into into);

}  // namespace fovea

#endif  // FOVEA_KERNELS_MATMUL_H_
