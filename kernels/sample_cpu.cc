#include <algorithm>
#include <vector>

#include "fovea/kernels/loops.h"
#include "fovea/kernels/sample.h"
#include "fovea/kernels/sample_terms.h"

namespace fovea {
namespace {

using sampling::normal;
using sampling::uniform;

// The class of one row; -1 when the row is not a distribution. `weights` is scratch for n numbers.
template <class T>
Index pick(const T* x, Index n, T u, T* weights) {
  const T most = max_of<T>(n, [=](Index k) { return x[k]; });
  const T total = sum_of<T>(n, [=](Index k) { return weights[k] = math::exp(x[k] - most); });
  if (!(total >= 1)) return -1;  // NaN: of the row, of inf - inf; or n = 0
  Index last = 0;
  T sum = 0;
  for (Index k = 0; k < n; ++k) {
    sum += weights[k];
    if (sum > u * total) return k;
    if (weights[k] > 0) last = k;
  }
  return last;  // rounding kept the sum from reaching the total
}

}  // namespace

void gaussian_sample_forward(Cpu, const View& mu, const View& log_sigma, RandomState random,
                             const View& noise, const View& z) {
  visit_float("gaussian_sample", mu.dtype, [&]<class T>() {
    const T *m = mu.as<const T>(), *s = log_sigma.as<const T>();
    T *e = noise.as<T>(), *y = z.as<T>();
    parallel_for(mu.numel(), 2, costly_grain, [&](Index begin, Index end) {
      for_words<2>(random, begin, end, [=](Index i, Index n, const std::uint32_t* words) {
        store(e + i, n, Into::set,
              [=](Index k) { return math::exp(s[i + k]) * normal<T>(words[2 * k], words[2 * k + 1]); });
        store(y + i, n, Into::set, [=](Index k) { return m[i + k] + e[i + k]; });
      });
    });
  });
}

void gaussian_sample_backward(Cpu, const View& dz, const View& noise, const Target& dmu,
                              const Target& dlog_sigma) {
  visit_float("gaussian_sample", dz.dtype, [&]<class T>() {
    const T *d = dz.as<const T>(), *e = noise.as<const T>();
    const Index n = dz.numel();
    if (dmu) store(dmu.as<T>(), n, dmu.into, [=](Index k) { return d[k]; });
    if (dlog_sigma) store(dlog_sigma.as<T>(), n, dlog_sigma.into, [=](Index k) { return d[k] * e[k]; });
  });
}

void bernoulli_sample(Cpu, const View& logits, RandomState random, const View& y) {
  visit_float("bernoulli_sample", logits.dtype, [&]<class T>() {
    const T* x = logits.as<const T>();
    T* out = y.as<T>();
    parallel_for(logits.numel(), 1, costly_grain, [&](Index begin, Index end) {
      for_words<1>(random, begin, end, [=](Index i, Index n, const std::uint32_t* words) {
        store(out + i, n, Into::set, [=](Index k) {
          const T p = math::sigmoid(x[i + k]);
          return p != p ? p : uniform<T>(words[k]) < p ? T(1) : T(0);
        });
      });
    });
  });
}

Index categorical_sample(Cpu, const View& logits, RandomState random, const View& ids) {
  const Index rows = ids.numel(), n = logits.shape.back();
  auto* id = ids.as<std::int32_t>();
  visit_float("categorical_sample", logits.dtype, [&]<class T>() {
    const T* x = logits.as<const T>();
    parallel_for(rows, n, costly_grain, [&](Index begin, Index end) {
      std::vector<T> weights(static_cast<std::size_t>(n));
      for_words<1>(random, begin, end, [&](Index r, Index count, const std::uint32_t* words) {
        for (Index k = 0; k < count; ++k)
          id[r + k] =
              static_cast<std::int32_t>(pick(x + (r + k) * n, n, uniform<T>(words[k]), weights.data()));
      });
    });
  });
  return std::find(id, id + rows, -1) - id;
}

}  // namespace fovea
