#include "fovea/kernels/copy.h"
#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/gemm_batched.h"
#include "fovea/kernels/matmul.h"
#include "fovea/kernels/rows.h"

namespace fovea {

// The leading dimensions are cut into runs in which every operand's matrices lie at a fixed distance: one
// call each. Where several products go to one matrix of C they are added one after the other.
void matmul(Cuda d, const View& a, const View& b, const View& c, Into into) {
  const int r = c.shape.rank();
  const Index m = c.shape[r - 2], n = c.shape[r - 1], k = a.shape[r - 1];
  const Shape batch = leading(c.shape), a_step = leading(a.strides), b_step = leading(b.strides),
              c_step = leading(c.strides);
  Index places = 1;
  for (int i = 0; i < batch.rank(); ++i)
    if (c_step[i] != 0) places *= batch[i];
  const bool sums = places != batch.numel();
  visit_float("matmul", c.dtype, [&]<class T>() {
    if (sums && into == Into::set) fill(d, {c.data, c.dtype, {places * m * n}, {1}, true}, 0);
    const Into how = sums ? Into::add : into;
    const Matrix<const T> am = matrix_of<T>(a), bm = matrix_of<T>(b);
    const Rows<3> rows(batch, {&a_step, &b_step, &c_step});
    for (Index row = 0; row < rows.count; ++row) {
      const Index ao = rows.offset(0, row), bo = rows.offset(1, row), co = rows.offset(2, row);
      const auto some = [&](Index first, Index count) {
        gemm_batched(d, m, n, k, {{am.data + ao + first * rows.step[0], am.ld, am.transposed}, rows.step[0]},
                     {{bm.data + bo + first * rows.step[1], bm.ld, bm.transposed}, rows.step[1]},
                     Batch<T>{{c.as<T>() + co + first * rows.step[2], std::max<Index>(n, 1)}, rows.step[2]},
                     count, how);
      };
      if (rows.step[2] != 0 || rows.length == 1)
        some(0, rows.length);
      else
        for (Index i = 0; i < rows.length; ++i) some(i, 1);
    }
  });
}

}  // namespace fovea
