#ifndef FOVEA_KERNELS_MATMUL_H_
#define FOVEA_KERNELS_MATMUL_H_

#include <algorithm>

#include "fovea/core/device.h"
#include "fovea/core/into.h"
#include "fovea/kernels/gemm.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// C [...,m,n] = A [...,m,k] B [...,k,n] (or +=). The leading dimensions of the three views are the same,
/// with stride 0 where an operand is broadcast; where C has stride 0 the products are summed. In the last two
/// dimensions C is row-major, and A and B have stride 1 in one of them.
void matmul(Cpu, const View& a, const View& b, const View& c, Into into);
void matmul(Cuda, const View& a, const View& b, const View& c, Into into);

/// The operand that the last two dimensions of a view are.
template <class T>
Matrix<const T> matrix_of(const View& v) {
  const int r = v.shape.rank();
  const Index rows = v.shape[r - 2], cols = v.shape[r - 1], down = v.strides[r - 2],
              across = v.strides[r - 1];
  if (across == 1 || cols == 1) return {v.as<const T>(), rows == 1 ? std::max<Index>(cols, 1) : down, false};
  return {v.as<const T>(), cols == 1 ? std::max<Index>(rows, 1) : across, true};
}

/// All dimensions but the last two.
inline Shape leading(const Shape& s) {
  return Shape(std::span(s.begin(), static_cast<std::size_t>(s.rank() - 2)));
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_MATMUL_H_
