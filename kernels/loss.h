#ifndef FOVEA_KERNELS_LOSS_H_
#define FOVEA_KERNELS_LOSS_H_

#include "fovea/kernels/loops.h"
#include "fovea/kernels/target.h"

/// What losses over elements share: the reduction and its gradient.

namespace fovea {

/// loss[k] = f(k) when `loss` has n elements, else its only one = scale * sum f(k). With one element, scale
/// is 1.
template <class T, class F>
void reduce_loss(const View& loss, Index n, double scale, Index grain, F&& f) {
  T* out = loss.as<T>();
  if (loss.numel() != n) {
    *out = static_cast<T>(scale * sum_of_many<T>(n, grain, f));
    return;
  }
  parallel_for(n, 1, grain, [&](Index begin, Index end) {
    store(out + begin, end - begin, Into::set, [&](Index k) { return f(begin + k); });
  });
}

/// The gradient: dx[k] (set or +=) g(k) times dy[k], or times scale * dy[0].
template <class T, class G>
void spread_loss(const Target& dx, const View& dy, double scale, Index grain, G&& g) {
  const Index n = dx.dx.numel();
  const T* up = dy.as<const T>();
  const bool reduced = dy.numel() != n;
  parallel_for(n, 1, grain, [&](Index begin, Index end) {
    T* to = dx.as<T>() + begin;
    if (reduced)
      store(to, end - begin, dx.into,
            [&, s = static_cast<T>(scale) * up[0]](Index k) { return g(begin + k) * s; });
    else
      store(to, end - begin, dx.into, [&](Index k) { return g(begin + k) * up[begin + k]; });
  });
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_LOSS_H_
