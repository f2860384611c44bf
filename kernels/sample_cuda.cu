#include "fovea/kernels/cuda_philox.h"
#include "fovea/kernels/cuda_team.h"
#include "fovea/kernels/sample.h"
#include "fovea/kernels/sample_terms.h"

namespace fovea {
namespace {

using namespace sampling;

template <class T>
void gaussian(Cuda d, Index n, RandomState random, const T* mu, const T* log_sigma, T* noise, T* z) {
  each_words<2>(d, random, n, [=] __device__(Index i, const std::uint32_t* words) {
    const T e = math::exp(log_sigma[i]) * normal<T>(words[0], words[1]);
    noise[i] = e;
    z[i] = mu[i] + e;
  });
}

template <class T>
void gaussian_gradients(Cuda d, Index n, const T* dz, const T* noise, const Target& dmu,
                        const Target& dlog_sigma) {
  T *dm = dmu.as<T>(), *ds = dlog_sigma.as<T>();
  const bool add_m = dmu.into == Into::add, add_s = dlog_sigma.into == Into::add;
  each(d, n, [=] __device__(Index i) {
    if (dm) put(dm + i, dz[i], add_m);
    if (ds) put(ds + i, dz[i] * noise[i], add_s);
  });
}

template <class T>
void bernoulli(Cuda d, Index n, RandomState random, const T* x, T* y) {
  each_words<1>(d, random, n, [=] __device__(Index i, const std::uint32_t* word) {
    const T p = math::sigmoid(x[i]);
    y[i] = p != p ? p : uniform<T>(*word) < p ? T(1) : T(0);
  });
}

// The first lane's numbers added to those of the lanes before it.
template <class T>
__device__ T sum_up_to(T x, int lane) {
  for (int m = 1; m < 32; m *= 2) {
    const T before = __shfl_up_sync(all_lanes, x, m);
    if (lane >= m) x += before;
  }
  return x;
}

template <class T>
void categorical(Cuda d, Index rows, Index n, RandomState random, const T* x_all, std::int32_t* ids) {
  const detail::Fault bad{
      "categorical_sample",
      "a row of the logits is no distribution (it has NaN, inf, or nothing but -inf): the one", 0, 0, 0};
  detail::Fault* fault = detail::cuda_fault(d);
  each_warp(d, rows, [=] __device__(const Team<32>& team, Index r) {
    const T* x = x_all + r * n;
    const T most = team.template max<T>(n, [&](Index k) { return x[k]; });
    const T total = team.template sum<T>(n, [&](Index k) { return math::exp(x[k] - most); });
    if (!(total >= 1)) {  // NaN: of the row, of inf - inf
      if (team.lane != 0) return;
      ids[r] = 0;
      note_fault(fault, {bad.op, bad.what, 0, r, 0});
      return;
    }
    // 32 classes at a time; `last` is the last one that can be, should rounding keep the sum from the total.
    const T wanted = uniform<T>(word_at(random, r)) * total;
    T sum = 0;
    Index last = 0;
    for (Index base = 0; base < n; base += 32) {
      const Index k = base + team.lane;
      const T weight = k < n ? math::exp(x[k] - most) : T(0);
      const T up_to = sum + sum_up_to(weight, team.lane);
      const unsigned reached = __ballot_sync(all_lanes, k < n && up_to > wanted);
      if (reached != 0) {
        last = base + __ffs(static_cast<int>(reached)) - 1;
        break;
      }
      const Index possible =
          team.all(weight > 0 ? k : Index{0}, [](Index a, Index b) { return a > b ? a : b; });
      if (possible > 0) last = possible;
      sum = __shfl_sync(all_lanes, up_to, 31);
    }
    if (team.lane == 0) ids[r] = static_cast<std::int32_t>(last);
  });
}

}  // namespace

void gaussian_sample_forward(Cuda d, const View& mu, const View& log_sigma, RandomState random,
                             const View& noise, const View& z) {
  visit_float("gaussian_sample", mu.dtype, [&]<class T>() {
    gaussian(d, mu.numel(), random, mu.as<const T>(), log_sigma.as<const T>(), noise.as<T>(), z.as<T>());
  });
}

void gaussian_sample_backward(Cuda d, const View& dz, const View& noise, const Target& dmu,
                              const Target& dlog_sigma) {
  visit_float("gaussian_sample", dz.dtype, [&]<class T>() {
    gaussian_gradients(d, dz.numel(), dz.as<const T>(), noise.as<const T>(), dmu, dlog_sigma);
  });
}

void bernoulli_sample(Cuda d, const View& logits, RandomState random, const View& y) {
  visit_float("bernoulli_sample", logits.dtype,
              [&]<class T>() { bernoulli(d, logits.numel(), random, logits.as<const T>(), y.as<T>()); });
}

Index categorical_sample(Cuda d, const View& logits, RandomState random, const View& ids) {
  visit_float("categorical_sample", logits.dtype, [&]<class T>() {
    categorical(d, ids.numel(), logits.shape.back(), random, logits.as<const T>(), ids.as<std::int32_t>());
  });
  return ids.numel();
}

}  // namespace fovea
