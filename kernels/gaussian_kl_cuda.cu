#include "fovea/kernels/cuda_team.h"
#include "fovea/kernels/gaussian_kl.h"
#include "fovea/kernels/scalar_math.h"

// e^(2 s) - 1 by expm1, so that no digits cancel near s = 0.

namespace fovea {
namespace {

template <class T>
void forward(Cuda d, Index rows, Index n, const T* mu, const T* log_sigma, T* kl) {
  each_row(d, rows, n, [=] __device__(const auto& team, Index r) {
    const T *m = mu + r * n, *s = log_sigma + r * n;
    const T sum =
        team.template sum<T>(n, [&](Index k) { return m[k] * m[k] + (math::expm1(2 * s[k]) - 2 * s[k]); });
    if (team.lane == 0) kl[r] = T(0.5) * sum;
  });
}

template <class T>
void backward(Cuda d, Index elements, Index n, const T* mu, const T* log_sigma, const T* dkl,
              const Target& dmu, const Target& dlog_sigma) {
  T *dm = dmu.as<T>(), *ds = dlog_sigma.as<T>();
  const bool add_m = dmu.into == Into::add, add_s = dlog_sigma.into == Into::add;
  each(d, elements, [=] __device__(Index i) {
    const T g = dkl[i / n];
    if (dm) put(dm + i, mu[i] * g, add_m);
    if (ds) put(ds + i, math::expm1(2 * log_sigma[i]) * g, add_s);
  });
}

}  // namespace

void gaussian_kl_forward(Cuda d, const View& mu, const View& log_sigma, const View& kl) {
  visit_float("gaussian_kl", mu.dtype, [&]<class T>() {
    forward(d, kl.numel(), mu.shape.back(), mu.as<const T>(), log_sigma.as<const T>(), kl.as<T>());
  });
}

void gaussian_kl_backward(Cuda d, const View& mu, const View& log_sigma, const View& dkl, const Target& dmu,
                          const Target& dlog_sigma) {
  visit_float("gaussian_kl", mu.dtype, [&]<class T>() {
    backward(d, mu.numel(), mu.shape.back(), mu.as<const T>(), log_sigma.as<const T>(), dkl.as<const T>(),
             dmu, dlog_sigma);
  });
}

}  // namespace fovea
