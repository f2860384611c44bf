#include <omp.h>

#include "fovea/kernels/gemm.h"
#include "fovea/kernels/matmul.h"
#include "fovea/kernels/parallel.h"
#include "fovea/kernels/rows.h"

namespace fovea {

void matmul(Cpu cpu, const View& a, const View& b, const View& c, Into into) {
  const int r = c.shape.rank();
  const Index m = c.shape[r - 2], n = c.shape[r - 1], k = a.shape[r - 1];
  const Shape batch = leading(c.shape), a_step = leading(a.strides), b_step = leading(b.strides),
              c_step = leading(c.strides);
  Index places = 1;  // different matrices of C
  for (int d = 0; d < batch.rank(); ++d)
    if (c_step[d] != 0) places *= batch[d];
  const Index products = batch.numel();
  visit_float("matmul", c.dtype, [&]<class T>() {
    const Matrix<const T> am = matrix_of<T>(a), bm = matrix_of<T>(b);
    const auto one = [&](Index ao, Index bo, Index co, Into how) {
      gemm(cpu, m, n, k, {am.data + ao, am.ld, am.transposed}, {bm.data + bo, bm.ld, bm.transposed},
           {c.as<T>() + co, std::max<Index>(n, 1), false}, how);
    };
    // Rows over the leading dimensions: an "element" is a whole matrix.
    const Rows<3> rows(batch, {&a_step, &b_step, &c_step});
    const auto range = [&](Index begin, Index end) {
      for (Index p = begin; p < end; ++p) {
        const Index row = p / rows.length, at = p % rows.length;
        const Index co = rows.offset(2, row) + at * rows.step[2];
        one(rows.offset(0, row) + at * rows.step[0], rows.offset(1, row) + at * rows.step[1], co, into);
      }
    };
    if (places != products) {
      if (into == Into::set) {
        into = Into::add;
        const Index total = places * m * n;
        std::fill(c.as<T>(), c.as<T>() + total, T(0));
      }
      range(0, products);
    } else if (products > 1) {
      parallel_for(products, 2 * m * n * k, 8000000, range);
    } else if (products == 1) {
      one(0, 0, 0, into);
    }
  });
}

}  // namespace fovea
