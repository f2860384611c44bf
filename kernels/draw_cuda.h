#ifndef FOVEA_KERNELS_DRAW_CUDA_H_
#define FOVEA_KERNELS_DRAW_CUDA_H_

#include "fovea/kernels/cuda_block.h"
#include "fovea/kernels/draw_axis.h"

/// What the blocks of DRAW's kernels do together: small products, and filters with their gradient.

namespace fovea::draw_cuda {

using namespace draw_filters;

using Block = Team<sample_threads>;
using Warp = Team<32>;

// The sizes that all functions share, and what a block's number means.
struct Sizes {
  Index batch, channels, height, width, n;
  Sizes(const View& image, const View& fx)
      : batch(image.shape[0]),
        channels(image.shape[1]),
        height(image.shape[2]),
        width(image.shape[3]),
        n(fx.shape[1]) {}
  FOVEA_HD Index area() const { return height * width; }
  FOVEA_HD Index nw() const { return n * width; }
  FOVEA_HD Index nh() const { return n * height; }
  FOVEA_HD Index nn() const { return n * n; }
  template <class T>
  __device__ DrawGeometry<T> geometry(const T* window) const {
    return DrawGeometry<T>(window, height, width, n);
  }
};

// Calls f(warp, i) for i from 0 to n - 1, a warp for each.
template <class F>
__device__ void each_by_warps(Index n, F f) {
  const Warp warp;
  for (Index i = threadIdx.x / 32; i < n; i += sample_warps) f(warp, i);
}

// y [m,k] = put(i, j, sum over w numbers of a[i] b[j]), a warp for each sum.
template <class T, class Put>
__device__ void dots(Index m, Index k, Index w, const T* a, const T* b, Put put) {
  each_by_warps(m * k, [&](const Warp& warp, Index at) {
    const Index i = at / k, j = at - i * k;
    const T sum = warp.sum<T>(w, [&](Index l) { return a[i * w + l] * b[j * w + l]; });
    if (warp.lane == 0) put(at, sum);
  });
}

// put(i * w + j, sum over l < k of a[i row + l column] x[l w + j]) for i < m, a thread for each sum.
template <class T, class Put>
__device__ void product(Index m, Index k, Index w, const T* a, Index row, Index column, const T* x, Put put) {
  Block().each(m * w, [&](Index at) {
    const Index i = at / w, j = at - i * w;
    T sum = 0;
    for (Index l = 0; l < k; ++l) sum += a[i * row + l * column] * x[l * w + j];
    put(at, sum);
  });
}

template <class T>
__device__ void make_filters(const Axis<T>& axis, T* filters, T* also_to) {
  each_by_warps(axis.n, [&](const Warp& warp, Index i) {
    const auto filter = axis.filter(i);
    const auto power = [&](Index a) {
      const T d = pixel<T>(a) - filter.nearest;
      return math::exp(-d * (d + filter.shift) * axis.sharpness);
    };
    const T inverse = 1 / warp.sum<T>(axis.size, power);
    warp.each(axis.size, [&](Index a) {
      const T f = power(a) * inverse;
      filters[i * axis.size + a] = f;
      if (also_to) also_to[i * axis.size + a] = f;
    });
  });
}

// Both of a window's filters, in the block's own room and, by one block of a sample, in memory.
template <class T>
__device__ void make_both(const Sizes& s, const DrawGeometry<T>& g, Index b, bool for_all, T* own_x, T* own_y,
                          T* fx, T* fy) {
  make_filters(x_axis(g, s.n, s.width), own_x, for_all ? fx + b * s.nw() : nullptr);
  make_filters(y_axis(g, s.n, s.height), own_y, for_all ? fy + b * s.nh() : nullptr);
  __syncthreads();
}

// The same in every thread; all threads of the block make the call.
template <class T>
__device__ AxisGradient<T> filters_gradient(const Axis<T>& axis, const T* filters, const T* gradients) {
  __shared__ AxisGradient<T> parts[sample_warps];
  AxisGradient<T> g;
  each_by_warps(axis.n, [&](const Warp& warp, Index i) {
    const auto filter = axis.filter(i);
    const T *f = filters + i * axis.size, *df = gradients + i * axis.size;
    const T mean = warp.sum<T>(axis.size, [&](Index a) { return f[a] * df[a]; });
    const auto moment = [&](Index a) { return f[a] * (df[a] - mean) * (pixel<T>(a) - filter.nearest); };
    const T first = warp.sum<T>(axis.size, moment);
    const T second = warp.sum<T>(
        axis.size, [&](Index a) { return moment(a) * (pixel<T>(a) - filter.nearest + filter.shift); });
    const T dmu = 2 * axis.sharpness * first;
    g.centre += dmu;
    g.stride += dmu * axis.offset(i);
    g.log_variance += axis.sharpness * second;
    g.scale += mean;
  });
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = g;
  __syncthreads();
  AxisGradient<T> all;
  for (const AxisGradient<T>& part : parts) {
    all.centre += part.centre;
    all.stride += part.stride;
    all.log_variance += part.log_variance;
    all.scale += part.scale;
  }
  __syncthreads();
  return all;
}

// The gradient of a window is linear in that of the filters: every channel's block puts its own share, and
// where there are several they are added up afterwards.
template <class T>
class WindowShares {
 public:
  WindowShares(Cuda d, const Sizes& s, const Target& to)
      : d_(d),
        batch_(s.batch),
        channels_(s.channels),
        to_(to.as<T>()),
        add_(to.into == Into::add),
        room_(d, to && s.channels > 1 ? s.batch * s.channels * 5 : 0) {}
  // Where the block of a channel puts its five numbers, one after the other; null: nowhere.
  T* shares() const { return to_ && channels_ > 1 ? room_.data() : to_; }
  bool add() const { return channels_ == 1 && add_; }
  void add_up() const {
    if (to_ && channels_ > 1) sum(d_, batch_, channels_, room_.data(), to_, add_);
  }
  static void sum(Cuda d, Index batch, Index channels, const T* shares, T* to, bool add) {
    each(d, batch * 5, [=] __device__(Index i) {
      T sum = 0;
      for (Index c = 0; c < channels; ++c) sum += shares[(i / 5 * channels + c) * 5 + i % 5];
      put(to + i, sum, add);
    });
  }

 private:
  Cuda d_;
  Index batch_, channels_;
  T* to_;
  bool add_;
  DeviceScratch<T> room_;
};

}  // namespace fovea::draw_cuda

#endif  // FOVEA_KERNELS_DRAW_CUDA_H_
