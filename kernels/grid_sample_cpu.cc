#include "fovea/kernels/grid_sample.h"
#include "fovea/kernels/grid_sample_terms.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/tap.h"

namespace fovea {
namespace {

constexpr auto op = "grid_sample";

// Points are taken in chunks: first where they lie, which all channels share, then the reading.
constexpr Index chunk = 128;

// Where a chunk of points lies in one dimension: the pixels before and after each (or only the nearest one),
// as distances in memory that stay inside the image; their weights, which are 0 outside; and the slopes of
// the weights with respect to the coordinate.
template <int taps, class T>
struct Line {
  std::int32_t place[taps][chunk];
  T weight[taps][chunk], slope[taps][chunk];

  // Coordinates x[0], x[2], ... of n points; `pixels` of this dimension, `stride` apart.
  void find(const T* x, Index n, Index pixels, Index stride, SampleRule rule) {
    const SampleAxis<taps, T> axis(pixels, rule);
    const auto step = static_cast<std::int32_t>(stride);
    T p[chunk];  // three loops, because g++ makes branches of one
    store(p, n, Into::set, [=](Index k) { return axis.limited(x[2 * k]); });
    store(p, n, Into::set, [=, &p](Index k) { return axis.pixel(p[k]); });
#pragma GCC ivdep
    for (Index k = 0; k < n; ++k)
      axis.take(p[k], [&](int t, std::int32_t pixel, T its_weight, T its_slope) {
        place[t][k] = pixel * step;
        weight[t][k] = its_weight;
        slope[t][k] = its_slope;
      });
  }
};

// A chunk of points: where they lie, and the pixels there of one channel after the other.
template <int taps, class T>
struct Points {
  static constexpr int count = taps * taps;
  Line<taps, T> x, y;
  T value[count][chunk];

  void find(const T* points, Index n, const View& image, SampleRule rule) {
    x.find(points, n, image.shape[3], 1, rule);
    y.find(points + 1, n, image.shape[2], image.shape[3], rule);
  }
  // Tap t of point k.
  std::int32_t place(int t, Index k) const { return y.place[t / taps][k] + x.place[t % taps][k]; }
  T weight(int t, Index k) const { return y.weight[t / taps][k] * x.weight[t % taps][k]; }
  T slope_x(int t, Index k) const { return y.weight[t / taps][k] * x.slope[t % taps][k]; }
  T slope_y(int t, Index k) const { return y.slope[t / taps][k] * x.weight[t % taps][k]; }

  void load(const T* plane, Index n) {
    for (Index k = 0; k < n; ++k) {
      asm volatile("");  // keeps this from being made of gathers, which wait for each other's cache misses
      for (int t = 0; t < count; ++t) value[t][k] = plane[place(t, k)];
    }
  }
};

template <int taps, class T>
void forward(const View& x, const View& points, SampleRule rule, const View& y) {
  const Index channels = x.shape[1], plane = x.shape[2] * x.shape[3], n = y.shape[2] * y.shape[3];
  const Index chunks = (n + chunk - 1) / chunk;
  parallel_for(x.shape[0] * chunks, chunk * (channels + 4), cheap_grain / 8, [&](Index begin, Index end) {
    Points<taps, T> at;
    for (Index i = begin; i < end; ++i) {
      const Index b = i / chunks, first = (i - b * chunks) * chunk, size = std::min(chunk, n - first);
      at.find(points.as<const T>() + 2 * (b * n + first), size, x, rule);
      for (Index c = b * channels; c < (b + 1) * channels; ++c) {
        at.load(x.as<const T>() + c * plane, size);
        store(y.as<T>() + c * n + first, size, Into::set, [&](Index k) {
          T sum = 0;
          for (int t = 0; t < at.count; ++t) sum += tap(at.weight(t, k), at.value[t][k]);
          return sum;
        });
      }
    }
  });
}

// In the forward pass y was the sum of weight x[place], so here dx[place] += weight dy.
template <int taps, class T>
void scatter(const Points<taps, T>& at, const T* dy, Index n, T* dx) {
  T share[taps * taps][chunk];
#pragma GCC ivdep
  for (Index k = 0; k < n; ++k)
    for (int t = 0; t < at.count; ++t) {
      const T w = at.weight(t, k);
      share[t][k] = w > 0 ? w * dy[k] : 0;  // a weight of NaN adds nothing
    }
  for (Index k = 0; k < n; ++k)
    for (int t = 0; t < at.count; ++t) dx[at.place(t, k)] += share[t][k];
}

// And the gradient of the point's coordinates is the sum of slope x[place] dy.
template <int taps, class T>
void add_slopes(const Points<taps, T>& at, const T* dy, Index n, T* sx, T* sy) {
#pragma GCC ivdep
  for (Index k = 0; k < n; ++k) {
    T along_x = 0, along_y = 0;
    for (int t = 0; t < at.count; ++t) {
      along_x += tap(at.slope_x(t, k), at.value[t][k]);
      along_y += tap(at.slope_y(t, k), at.value[t][k]);
    }
    sx[k] += dy[k] * along_x;
    sy[k] += dy[k] * along_y;
  }
}

// to = or += (x[0], y[0], x[1], y[1], ...).
template <class T>
void interleave(const T* x, const T* y, Index n, Into into, T* to) {
  if (into == Into::add)
    for (Index k = 0; k < n; ++k) to[2 * k] += x[k], to[2 * k + 1] += y[k];
  else
    for (Index k = 0; k < n; ++k) to[2 * k] = x[k], to[2 * k + 1] = y[k];
}

template <int taps, class T>
void backward(const View& x, const View& points, SampleRule rule, const View& dy, const Target& dx,
              const Target& dpoints) {
  const Index channels = x.shape[1], plane = x.shape[2] * x.shape[3], n = dy.shape[2] * dy.shape[3];
  parallel_for(x.shape[0], n * (channels + 4), cheap_grain / 8, [&](Index begin, Index end) {
    Points<taps, T> at;
    for (Index b = begin; b < end; ++b) {
      T* planes = dx ? dx.as<T>() + b * channels * plane : nullptr;
      if (dx && dx.into == Into::set) std::fill(planes, planes + channels * plane, T(0));
      for (Index first = 0; first < n; first += chunk) {
        const Index size = std::min(chunk, n - first);
        T sx[chunk] = {}, sy[chunk] = {};
        at.find(points.as<const T>() + 2 * (b * n + first), size, x, rule);
        for (Index c = 0; c < channels; ++c) {
          const T* up = dy.as<const T>() + (b * channels + c) * n + first;
          if (dx) scatter(at, up, size, planes + c * plane);
          if (!dpoints) continue;
          at.load(x.as<const T>() + (b * channels + c) * plane, size);
          add_slopes(at, up, size, sx, sy);
        }
        if (dpoints) interleave(sx, sy, size, dpoints.into, dpoints.as<T>() + 2 * (b * n + first));
      }
    }
  });
}

}  // namespace

void grid_sample_forward(Cpu, const View& x, const View& points, SampleRule rule, const View& y) {
  visit_float(op, x.dtype, [&]<class T>() {
    if (rule.bilinear)
      forward<2, T>(x, points, rule, y);
    else
      forward<1, T>(x, points, rule, y);
  });
}

void grid_sample_backward(Cpu, const View& x, const View& points, SampleRule rule, const View& dy,
                          const Target& dx, const Target& dpoints) {
  visit_float(op, x.dtype, [&]<class T>() {
    if (rule.bilinear)
      backward<2, T>(x, points, rule, dy, dx, dpoints);
    else
      backward<1, T>(x, points, rule, dy, dx, dpoints);
  });
}

}  // namespace fovea
