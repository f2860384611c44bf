#ifndef FOVEA_KERNELS_CUDA_LOSS_H_
#define FOVEA_KERNELS_CUDA_LOSS_H_

#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/target.h"

/// What losses over elements share: the reduction and its gradient. loss.h on CUDA.

namespace fovea {

/// loss[k] = f(k) when `loss` has n elements, else its only one = scale * sum f(k). With one element, scale
/// is 1.
template <class T, class F>
void reduce_loss(Cuda d, const View& loss, Index n, double scale, F f) {
  T* out = loss.as<T>();
  if (loss.numel() == n)
    each(d, n, [=] __device__(Index k) { out[k] = f(k); });
  else
    sum_all(d, n, f, [=] __device__(double sum) { *out = static_cast<T>(scale * sum); });
}

/// The gradient: dx[k] (set or +=) g(k) times dy[k], or times scale * dy[0].
template <class T, class G>
void spread_loss(Cuda d, const Target& dx, const View& dy, double scale, G g) {
  const Index n = dx.dx.numel();
  const T* up = dy.as<const T>();
  T* to = dx.as<T>();
  const bool reduced = dy.numel() != n, add = dx.into == Into::add;
  const T by = static_cast<T>(scale);
  each(d, n, [=] __device__(Index k) { put(to + k, g(k) * (reduced ? by * up[0] : up[k]), add); });
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_CUDA_LOSS_H_
