#include "fovea/kernels/copy.h"
#include "fovea/kernels/pointwise_cuda.h"
#include "fovea/kernels/reduce.h"

namespace fovea {

void pointwise::sum_into(Cuda d, const View& terms, const Target& dx) {
  if (dx.dx.dtype == terms.dtype) return sum_forward(d, terms, 1, dx.dx, dx.into);
  // Of bf16: the sum is f32, and only its result is rounded.
  View sum = dx.dx, to = dx.dx;
  for (int k = 0; k < to.shape.rank(); ++k)
    if (to.strides[k] == 0) to.shape[k] = 1;
  const DeviceScratch<float> room(d, to.numel());
  sum.data = room.data();
  sum.dtype = terms.dtype;
  sum_forward(d, terms, 1, sum, Into::set);
  copy(d, to, {sum.data, sum.dtype, to.shape, to.strides}, dx.into);
}

void pointwise_forward(Cuda d, int id, std::span<const View> x, pointwise::Scalars<double> scalars,
                       const View& y) {
  visit_wide("pointwise", y.dtype, [&]<class T>() {
    pointwise::run_forward<T>(id, {d, x, scalars, y, {}, {}});
  });
}

void pointwise_backward(Cuda d, int id, std::span<const View> x, pointwise::Scalars<double> scalars,
                        const View& y, const View& dy, std::span<const Target> dx) {
  visit_wide("pointwise", dy.dtype, [&]<class T>() {
    pointwise::run_backward<T>(id, {d, x, scalars, y, dy, dx});
  });
}

}  // namespace fovea
