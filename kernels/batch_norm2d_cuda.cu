#include "fovea/kernels/batch_norm2d.h"
#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/moments.h"

// Channels are few: what is summed over one is cut into slabs, a team for each, as in cuda_sums.h.

namespace fovea {
namespace {

constexpr auto op = "batch_norm2d";

// A channel lies in x as one plane an image.
struct Planes {
  Index channels, size, count, slabs;
  explicit Planes(const View& x)
      : channels(x.shape[1]),
        size(x.shape[2] * x.shape[3]),
        count(x.shape[0] * size),
        slabs(slabs_for(channels * 512, count, 4096)) {}

  // Where element i of channel c is.
  constexpr Index at(Index c, Index i) const { return (i / size * channels + c) * size + i % size; }
  constexpr Index channel_of(Index place) const { return place / size % channels; }
  constexpr Index begin(Index slab) const { return count * slab / slabs; }

  // f(team, c, slab) for all slabs of all channels.
  template <class F>
  void for_slabs(Cuda d, F f) const {
    each_row(d, channels * slabs, count / slabs,
             [=, n = slabs] __device__(const auto& team, Index task) { f(team, task / n, task % n); });
  }
};

template <class T>
struct Running {
  T* value;
  double momentum;
  __device__ void take_in(Index c, double x) const {
    if (value) value[c] = static_cast<T>((1 - momentum) * static_cast<double>(value[c]) + momentum * x);
  }
};

template <class T>
void batch_stats(Cuda d, Planes p, const T* x, double eps, Running<T> running_mean, Running<T> running_var,
                 T* mean, T* scale) {
  const DeviceScratch<Moments> room(d, p.channels * p.slabs);
  Moments* parts = room.data();
  p.for_slabs(d, [=] __device__(const auto& team, Index c, Index slab) {
    const Index begin = p.begin(slab), n = p.begin(slab + 1) - begin;
    // Summed from the first pixel on: far from 0 the pixels themselves would cost the sum its last digits.
    const T first = x[p.at(c, begin)];
    const T off =
        team.template sum<T>(n, [&](Index k) { return x[p.at(c, begin + k)] - first; }) / static_cast<T>(n);
    const T squares = team.template sum<T>(n, [&](Index k) {
      const T apart = x[p.at(c, begin + k)] - first - off;
      return apart * apart;
    });
    if (team.lane == 0)
      parts[c * p.slabs + slab] = {static_cast<double>(n),
                                   static_cast<double>(first) + static_cast<double>(off),
                                   static_cast<double>(squares)};
  });
  each(d, p.channels, [=] __device__(Index c) {
    Moments m;
    for (Index i = c * p.slabs; i < (c + 1) * p.slabs; ++i)
      m.add(parts[i].count, parts[i].mean, parts[i].squares);
    mean[c] = static_cast<T>(m.mean);
    scale[c] = static_cast<T>(1 / math::sqrt(m.squares / m.count + eps));
    running_mean.take_in(c, m.mean);
    running_var.take_in(c, m.squares / (m.count - 1));
  });
}

template <class T>
void running_stats(Cuda d, Index channels, const T* mean, const T* var, double eps, T* stats) {
  each(d, channels, [=] __device__(Index c) {
    stats[c] = mean[c];
    stats[channels + c] = static_cast<T>(1 / math::sqrt(static_cast<double>(var[c]) + eps));
  });
}

template <class T>
void forward(Cuda d, Planes p, const T* x, const T* weight, const T* bias, const T* stats, T* y) {
  each(d, p.channels * p.count, [=] __device__(Index i) {
    const Index c = p.channel_of(i);
    const T scale = stats[p.channels + c] * (weight ? weight[c] : T(1));
    y[i] = (x[i] - stats[c]) * scale + (bias ? bias[c] : T(0));
  });
}

// What dx needs of a channel: the mean of dy, and its slope along x.
template <class T>
struct Slope {
  T shift, slope;
};

template <class T>
void channel_sums(Cuda d, Planes p, const T* x, const T* stats, const T* dy, const Target& dweight,
                  const Target& dbias, Slope<T>* slopes) {
  const DeviceScratch<double> room(d, 2 * p.channels * p.slabs);
  double* parts = room.data();
  p.for_slabs(d, [=] __device__(const auto& team, Index c, Index slab) {
    const Index begin = p.begin(slab), n = p.begin(slab + 1) - begin;
    const T mean = stats[c];
    const T sum = team.template sum<T>(n, [&](Index k) { return dy[p.at(c, begin + k)]; });
    const T along = team.template sum<T>(n, [&](Index k) {
      const Index i = p.at(c, begin + k);
      return dy[i] * (x[i] - mean);
    });
    if (team.lane != 0) return;
    parts[2 * (c * p.slabs + slab)] = static_cast<double>(sum);
    parts[2 * (c * p.slabs + slab) + 1] = static_cast<double>(along);
  });
  T *dw = dweight.as<T>(), *db = dbias.as<T>();
  const bool add_w = dweight.into == Into::add, add_b = dbias.into == Into::add;
  const double count = static_cast<double>(p.count);
  each(d, p.channels, [=] __device__(Index c) {
    double sum = 0, along = 0;
    for (Index i = c * p.slabs; i < (c + 1) * p.slabs; ++i) {
      sum += parts[2 * i];
      along += parts[2 * i + 1];
    }
    const double scale = static_cast<double>(stats[p.channels + c]), h = along * scale;  // the sum of dy h
    if (dw) put(dw + c, static_cast<T>(h), add_w);
    if (db) put(db + c, static_cast<T>(sum), add_b);
    slopes[c] = {static_cast<T>(sum / count), static_cast<T>(h * scale / count)};
  });
}

template <class T>
void input_gradient(Cuda d, Planes p, const T* x, const T* weight, const T* stats, const Slope<T>* slopes,
                    const T* dy, T* dx, bool add) {
  each(d, p.channels * p.count, [=] __device__(Index i) {
    const Index c = p.channel_of(i);
    const Slope<T> s = slopes ? slopes[c] : Slope<T>{};
    const T factor = stats[p.channels + c] * (weight ? weight[c] : T(1));
    put(dx + i, factor * (dy[i] - s.shift - (slopes ? (x[i] - stats[c]) * s.slope : T(0))), add);
  });
}

}  // namespace

void batch_norm2d_batch_stats(Cuda d, const View& x, double eps, double momentum, const View& stats,
                              const View& running_mean, const View& running_var) {
  const Planes p(x);
  visit_float(op, x.dtype, [&]<class T>() {
    batch_stats(d, p, x.as<const T>(), eps, Running<T>{running_mean.as<T>(), momentum},
                Running<T>{running_var.as<T>(), momentum}, stats.as<T>(), stats.as<T>() + p.channels);
  });
}

void batch_norm2d_running_stats(Cuda d, const View& running_mean, const View& running_var, double eps,
                                const View& stats) {
  visit_float(op, stats.dtype, [&]<class T>() {
    running_stats(d, running_mean.numel(), running_mean.as<const T>(), running_var.as<const T>(), eps,
                  stats.as<T>());
  });
}

void batch_norm2d_forward(Cuda d, const View& x, const View& weight, const View& bias, const View& stats,
                          const View& y) {
  visit_float(op, x.dtype, [&]<class T>() {
    forward(d, Planes(x), x.as<const T>(), weight.as<const T>(), bias.as<const T>(), stats.as<const T>(),
            y.as<T>());
  });
}

void batch_norm2d_backward(Cuda d, const View& x, const View& weight, const View& stats, bool training,
                           const View& dy, const Target& dx, const Target& dweight, const Target& dbias) {
  const Planes p(x);
  visit_float(op, x.dtype, [&]<class T>() {
    const T *px = x.as<const T>(), *ps = stats.as<const T>(), *up = dy.as<const T>();
    const DeviceScratch<Slope<T>> slopes(d, p.channels);
    if (training || dweight || dbias) channel_sums(d, p, px, ps, up, dweight, dbias, slopes.data());
    if (dx)
      input_gradient(d, p, px, weight.as<const T>(), ps, training ? slopes.data() : nullptr, up, dx.as<T>(),
                     dx.into == Into::add);
  });
}

}  // namespace fovea
