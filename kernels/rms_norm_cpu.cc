#include "fovea/kernels/loops.h"
#include "fovea/kernels/rms_norm.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

constexpr auto op = "rms_norm";

}  // namespace

void rms_norm_forward(Cpu, const View& x, const View& weight, double eps, const View& y, const View& scales) {
  const Index n = x.shape.back(), rows = scales.numel();
  if (n == 0) return;
  visit_float(op, x.dtype, [&]<class T>() {
    parallel_for(rows, n, cheap_grain / 4, [&](Index begin, Index end) {
      const T* w = weight.as<const T>();
      for (Index r = begin; r < end; ++r) {
        const T* from = x.as<const T>() + r * n;
        const T square = sum_of<T>(n, [=](Index k) { return from[k] * from[k]; }) / static_cast<T>(n);
        const T s = scales.as<T>()[r] = 1 / math::sqrt(square + static_cast<T>(eps));
        if (w)
          store(y.as<T>() + r * n, n, Into::set, [=](Index k) { return from[k] * s * w[k]; });
        else
          store(y.as<T>() + r * n, n, Into::set, [=](Index k) { return from[k] * s; });
      }
    });
  });
}

// With g = dy weight: dx = s (g - x s^2 mean(g x)).
void rms_norm_backward(Cpu, const View& x, const View& weight, const View& scales, const View& dy,
                       const Target& dx) {
  const Index n = x.shape.back(), rows = scales.numel();
  if (n == 0) return;
  visit_float(op, x.dtype, [&]<class T>() {
    parallel_for(rows, n, cheap_grain / 4, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) {
        const T *from = x.as<const T>() + r * n, *up = dy.as<const T>() + r * n;
        const T s = scales.as<const T>()[r];
        const auto run = [&](auto g) {
          const T mean = sum_of<T>(n, [=](Index k) { return g(k) * from[k]; }) / static_cast<T>(n);
          const T share = s * s * mean;
          store(dx.as<T>() + r * n, n, dx.into, [=](Index k) { return s * (g(k) - from[k] * share); });
        };
        if (const T* w = weight.as<const T>())
          run([=](Index k) { return up[k] * w[k]; });
        else
          run([=](Index k) { return up[k]; });
      }
    });
  });
}

void rms_norm_backward_weight(Cpu, const View& x, const View& scales, const View& dy, const Target& dweight) {
  // Threads take columns: every sum is made by one of them.
  constexpr Index strip = 64;
  const Index n = x.shape.back(), rows = scales.numel();
  visit_float(op, x.dtype, [&]<class T>() {
    parallel_for((n + strip - 1) / strip, rows * strip, cheap_grain / 4, [&](Index begin, Index end) {
      for (Index at = begin * strip; at < std::min(end * strip, n); at += strip) {
        const Index width = std::min(strip, n - at);
        T sum[strip] = {};
        for (Index r = 0; r < rows; ++r) {
          const T *px = x.as<const T>() + r * n + at, *up = dy.as<const T>() + r * n + at;
          const T s = scales.as<const T>()[r];
          store(sum, width, Into::add, [&](Index c) { return up[c] * (px[c] * s); });
        }
        store(dweight.as<T>() + at, width, dweight.into, [&](Index c) { return sum[c]; });
      }
    });
  });
}

}  // namespace fovea
