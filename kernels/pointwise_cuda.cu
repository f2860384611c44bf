#include "fovea/kernels/pointwise_cuda.h"

namespace fovea {

void pointwise_forward(Cuda d, int id, std::span<const View> x, pointwise::Scalars<double> scalars,
                       const View& y) {
  visit_float("pointwise", y.dtype, [&]<class T>() {
    pointwise::run_forward<T>(id, {d, x, scalars, y, {}, {}});
  });
}

void pointwise_backward(Cuda d, int id, std::span<const View> x, pointwise::Scalars<double> scalars,
                        const View& y, const View& dy, std::span<const Target> dx) {
  visit_float("pointwise", dy.dtype, [&]<class T>() {
    pointwise::run_backward<T>(id, {d, x, scalars, y, dy, dx});
  });
}

}  // namespace fovea
