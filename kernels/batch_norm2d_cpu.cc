#include <cmath>

#include "fovea/kernels/batch_norm2d.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/moments.h"

namespace fovea {
namespace {

constexpr auto op = "batch_norm2d";

// A channel lies in x as one plane an image.
struct Planes {
  Index batch, channels, size;
  explicit Planes(const View& x) : batch(x.shape[0]), channels(x.shape[1]), size(x.shape[2] * x.shape[3]) {}

  Index offset(Index b, Index c) const { return (b * channels + c) * size; }

  // f(c) for every channel; each is the work of one thread.
  template <class F>
  void for_channels(F&& f) const {
    parallel_for(channels, batch * size, cheap_grain / 4, [&](Index begin, Index end) {
      for (Index c = begin; c < end; ++c) f(c);
    });
  }
};

template <class T>
Moments moments(const Planes& planes, const T* x, Index c) {
  Moments out;
  const double n = static_cast<double>(planes.size);
  for (Index b = 0; b < planes.batch; ++b) {
    const T* p = x + planes.offset(b, c);  // small enough to be read twice from the first cache
    // Summed from the first pixel on: far from 0 the pixels themselves would cost the sum its last digits.
    const T first = planes.size > 0 ? p[0] : T(0);
    const T off = sum_of<T>(planes.size, [p, first](Index k) { return p[k] - first; }) / static_cast<T>(n);
    const T squares = sum_of<T>(planes.size, [p, first, off](Index k) {
      const T d = p[k] - first - off;
      return d * d;
    });
    out.add(n, static_cast<double>(first) + static_cast<double>(off), squares);
  }
  return out;
}

template <class T>
void take_in(const View& running, Index c, double momentum, double value) {
  if (!running) return;
  T& r = running.as<T>()[c];
  r = static_cast<T>((1 - momentum) * static_cast<double>(r) + momentum * value);
}

}  // namespace

void batch_norm2d_batch_stats(Cpu, const View& x, double eps, double momentum, const View& stats,
                              const View& running_mean, const View& running_var) {
  const Planes planes(x);
  visit_float(op, x.dtype, [&]<class T>() {
    T *mean = stats.as<T>(), *scale = mean + planes.channels;
    planes.for_channels([&](Index c) {
      const Moments m = moments(planes, x.as<const T>(), c);
      mean[c] = static_cast<T>(m.mean);
      scale[c] = static_cast<T>(1 / std::sqrt(m.squares / m.count + eps));
      take_in<T>(running_mean, c, momentum, m.mean);
      take_in<T>(running_var, c, momentum, m.squares / (m.count - 1));
    });
  });
}

void batch_norm2d_running_stats(Cpu, const View& running_mean, const View& running_var, double eps,
                                const View& stats) {
  const Index n = running_mean.numel();
  visit_float(op, stats.dtype, [&]<class T>() {
    store(stats.as<T>(), n, Into::set, [m = running_mean.as<const T>()](Index c) { return m[c]; });
    store(stats.as<T>() + n, n, Into::set, [v = running_var.as<const T>(), eps](Index c) {
      return static_cast<T>(1 / std::sqrt(static_cast<double>(v[c]) + eps));
    });
  });
}

void batch_norm2d_forward(Cpu, const View& x, const View& weight, const View& bias, const View& stats,
                          const View& y) {
  const Planes planes(x);
  visit_float(op, x.dtype, [&]<class T>() {
    planes.for_channels([&](Index c) {
      const T mean = stats.as<const T>()[c];
      const T scale = stats.as<const T>()[planes.channels + c] * (weight ? weight.as<const T>()[c] : T(1));
      const T shift = bias ? bias.as<const T>()[c] : T(0);
      for (Index b = 0; b < planes.batch; ++b)
        store(y.as<T>() + planes.offset(b, c), planes.size, Into::set,
              [=, p = x.as<const T>() + planes.offset(b, c)](Index k) {
                return (p[k] - mean) * scale + shift;
              });
    });
  });
}

void batch_norm2d_backward(Cpu, const View& x, const View& weight, const View& stats, bool training,
                           const View& dy, const Target& dx, const Target& dweight, const Target& dbias) {
  const Planes planes(x);
  const double n = static_cast<double>(planes.batch * planes.size);
  visit_float(op, x.dtype, [&]<class T>() {
    planes.for_channels([&](Index c) {
      const T mean = stats.as<const T>()[c], scale = stats.as<const T>()[planes.channels + c];
      const T w = weight ? weight.as<const T>()[c] : T(1);
      double sum = 0, along = 0;  // of dy and of dy (x - mean)
      for (Index b = 0; b < planes.batch && (training || dweight || dbias); ++b) {
        const T *p = x.as<const T>() + planes.offset(b, c), *up = dy.as<const T>() + planes.offset(b, c);
        T s = 0, a = 0;
#pragma omp simd reduction(+ : s, a)
        for (Index k = 0; k < planes.size; ++k) {
          s += up[k];
          a += up[k] * (p[k] - mean);
        }
        sum += static_cast<double>(s);
        along += static_cast<double>(a);
      }
      const double h = along * static_cast<double>(scale);  // the sum of dy h
      if (dweight) store(dweight.as<T>() + c, 1, dweight.into, [h](Index) { return static_cast<T>(h); });
      if (dbias) store(dbias.as<T>() + c, 1, dbias.into, [sum](Index) { return static_cast<T>(sum); });
      if (!dx) return;
      const T factor = w * scale;
      const T shift = training ? static_cast<T>(sum / n) : T(0);
      const T slope = training ? static_cast<T>(h * static_cast<double>(scale) / n) : T(0);
      for (Index b = 0; b < planes.batch; ++b) {
        const T *p = x.as<const T>() + planes.offset(b, c), *up = dy.as<const T>() + planes.offset(b, c);
        T* to = dx.as<T>() + planes.offset(b, c);
        if (training)
          store(to, planes.size, dx.into,
                [=](Index k) { return factor * (up[k] - shift - (p[k] - mean) * slope); });
        else
          store(to, planes.size, dx.into, [=](Index k) { return factor * up[k]; });
      }
    });
  });
}

}  // namespace fovea
