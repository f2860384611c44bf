#include "fovea/kernels/layer_norm.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

constexpr auto op = "layer_norm";

template <class T>
void forward_row(const T* x, const T* w, const T* b, T eps, T* y, Index n, T& mean, T& scale) {
  const T count = static_cast<T>(n);
  const T m = mean = sum_of<T>(n, [&](Index k) { return x[k]; }) / count;
  const T variance = sum_of<T>(n, [&](Index k) { return (x[k] - m) * (x[k] - m); }) / count;
  const T s = scale = 1 / math::sqrt(variance + eps);
  if (w && b)
    store(y, n, Into::set, [&](Index k) { return (x[k] - m) * s * w[k] + b[k]; });
  else
    store(y, n, Into::set, [&](Index k) { return (x[k] - m) * s * (w ? w[k] : T(1)) + (b ? b[k] : T(0)); });
}

// With h = (x - mean) scale and g = dy weight: dx = scale (g - mean of g - h * mean of g h).
template <class T>
void backward_row(const T* x, const T* w, const T* dy, T mean, T scale, T* dx, Index n, Into into) {
  const T count = static_cast<T>(n);
  const auto run = [&](auto&& g) {
    const T a = sum_of<T>(n, g) / count;
    const T c = sum_of<T>(n, [&](Index k) { return g(k) * (x[k] - mean); }) / count * scale * scale;
    store(dx, n, into, [&](Index k) { return scale * (g(k) - a - (x[k] - mean) * c); });
  };
  if (w)
    run([&](Index k) { return dy[k] * w[k]; });
  else
    run([&](Index k) { return dy[k]; });
}

}  // namespace

void layer_norm_forward(Cpu, const View& x, const View& weight, const View& bias, double eps, const View& y,
                        const View& stats) {
  const Index n = x.shape.back(), rows = stats.shape[1];
  if (n == 0) return;
  visit_float(op, x.dtype, [&]<class T>() {
    T *mean = stats.as<T>(), *scale = mean + rows;
    parallel_for(rows, n, cheap_grain / 4, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r)
        forward_row(x.as<const T>() + r * n, weight.as<const T>(), bias.as<const T>(), static_cast<T>(eps),
                    y.as<T>() + r * n, n, mean[r], scale[r]);
    });
  });
}

void layer_norm_backward(Cpu, const View& x, const View& weight, const View& stats, const View& dy,
                         const Target& dx) {
  const Index n = x.shape.back(), rows = stats.shape[1];
  if (n == 0) return;
  visit_float(op, x.dtype, [&]<class T>() {
    const T *mean = stats.as<const T>(), *scale = mean + rows;
    parallel_for(rows, n, cheap_grain / 4, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r)
        backward_row(x.as<const T>() + r * n, weight.as<const T>(), dy.as<const T>() + r * n, mean[r],
                     scale[r], dx.as<T>() + r * n, n, dx.into);
    });
  });
}

void layer_norm_backward_parameters(Cpu, const View& x, const View& stats, const View& dy,
                                    const Target& dweight, const Target& dbias) {
  // Threads take columns, not rows: every sum is made by one of them. A strip of sums fits in registers.
  constexpr Index strip = 64;
  const Index n = x.shape.back(), rows = stats.shape[1];
  visit_float(op, x.dtype, [&]<class T>() {
    const T *mean = stats.as<const T>(), *scale = mean + rows;
    parallel_for((n + strip - 1) / strip, rows * strip, cheap_grain / 4, [&](Index begin, Index end) {
      for (Index at = begin * strip; at < std::min(end * strip, n); at += strip) {
        const Index width = std::min(strip, n - at);
        T dw[strip] = {}, db[strip] = {};
        for (Index r = 0; r < rows; ++r) {
          const T *px = x.as<const T>() + r * n + at, *pdy = dy.as<const T>() + r * n + at;
          const T m = mean[r], s = scale[r];
          if (dweight) store(dw, width, Into::add, [&](Index c) { return pdy[c] * ((px[c] - m) * s); });
          if (dbias) store(db, width, Into::add, [&](Index c) { return pdy[c]; });
        }
        if (dweight) store(dweight.as<T>() + at, width, dweight.into, [&](Index c) { return dw[c]; });
        if (dbias) store(dbias.as<T>() + at, width, dbias.into, [&](Index c) { return db[c]; });
      }
    });
  });
}

}  // namespace fovea
