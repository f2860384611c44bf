#include "fovea/kernels/gaussian_kl.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {

// e^(2 s) - 1 by expm1, so that no digits cancel near s = 0.

void gaussian_kl_forward(Cpu, const View& mu, const View& log_sigma, const View& kl) {
  const Index rows = kl.numel(), n = mu.shape.back();
  visit_float("gaussian_kl", mu.dtype, [&]<class T>() {
    parallel_for(rows, n, costly_grain, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) {
        const T *m = mu.as<const T>() + r * n, *s = log_sigma.as<const T>() + r * n;
        kl.as<T>()[r] =
            T(0.5) * sum_of<T>(n, [&](Index k) { return m[k] * m[k] + (math::expm1(2 * s[k]) - 2 * s[k]); });
      }
    });
  });
}

void gaussian_kl_backward(Cpu, const View& mu, const View& log_sigma, const View& dkl, const Target& dmu,
                          const Target& dlog_sigma) {
  const Index rows = dkl.numel(), n = mu.shape.back();
  visit_float("gaussian_kl", mu.dtype, [&]<class T>() {
    parallel_for(rows, n, costly_grain, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) {
        const T *m = mu.as<const T>() + r * n, *s = log_sigma.as<const T>() + r * n, g = dkl.as<const T>()[r];
        if (dmu) store(dmu.as<T>() + r * n, n, dmu.into, [&](Index k) { return m[k] * g; });
        if (dlog_sigma)
          store(dlog_sigma.as<T>() + r * n, n, dlog_sigma.into,
                [&](Index k) { return math::expm1(2 * s[k]) * g; });
      }
    });
  });
}

}  // namespace fovea
