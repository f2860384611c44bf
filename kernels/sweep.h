#ifndef FOVEA_KERNELS_SWEEP_H_
#define FOVEA_KERNELS_SWEEP_H_

#include <algorithm>
#include <cstring>
#include <vector>

#include "fovea/kernels/conv2d.h"

/// How a convolution passes over images: which elements meet which weights, and an image cut into tiles. The
/// arithmetic is in conv2d_cpu.cc and conv2d_weight_cpu.cc.

namespace fovea {

/// A place in an image, or sizes of one: down, across.
struct Place {
  Index h = 0, w = 0;
};

/// The images of an operand with grouped channels: [batch, groups * channels, size].
template <class T>
struct Images {
  T* data;
  Index batch, groups, channels;
  Place size;

  Images(T* data, const Shape& shape, Index groups)
      : data(data), batch(shape[0]), groups(groups), channels(shape[1] / groups), size{shape[2], shape[3]} {}
  Index area() const { return size.h * size.w; }
  T* of(Index image, Index group) const { return data + (image * groups + group) * channels * area(); }
};

/// A weight of the kernel, and where the element that it multiplies lies from where a sum stands.
struct Tap {
  Place at;
  Index weight;
};

/// A grid of sums: (i,j) stands at i * step.h, j * step.w of the image that is read, takes the elements at
/// its taps (0 outside the image), and goes to first + stride * (i,j) of the image that is written.
struct Sweep {
  Place grid, step{1, 1}, first, stride{1, 1};
  std::vector<Tap> taps;
};

/// y[i] = sum over k x[i * stride - padding + k * dilation] w[k], in both directions.
inline Sweep forward_sweep(const ConvWindow& c, Place kernel, Place out) {
  Sweep s;
  s.grid = out;
  s.step = {c.stride[0], c.stride[1]};
  for (Index h = 0; h < kernel.h; ++h)
    for (Index w = 0; w < kernel.w; ++w)
      s.taps.push_back(
          {{h * c.dilation[0] - c.padding[0], w * c.dilation[1] - c.padding[1]}, h * kernel.w + w});
  return s;
}

/// The transpose of the above: dx[x] = sum of dy[i] w[k] over x = i * stride - padding + k * dilation. Every
/// stride-th x meets the same weights, so there is one sweep for each remainder.
inline std::vector<Sweep> gradient_sweeps(const ConvWindow& c, Place kernel, Place in) {
  std::vector<Sweep> all;
  for (Index a = 0; a < std::min(c.stride[0], in.h); ++a)
    for (Index b = 0; b < std::min(c.stride[1], in.w); ++b) {
      Sweep s;
      s.first = {a, b};
      s.stride = {c.stride[0], c.stride[1]};
      s.grid = {(in.h - a - 1) / s.stride.h + 1, (in.w - b - 1) / s.stride.w + 1};
      for (Index h = 0; h < kernel.h; ++h)
        for (Index w = 0; w < kernel.w; ++w) {
          const Place at{a + c.padding[0] - h * c.dilation[0], b + c.padding[1] - w * c.dilation[1]};
          if (at.h % s.stride.h == 0 && at.w % s.stride.w == 0)
            s.taps.push_back({{at.h / s.stride.h, at.w / s.stride.w}, h * kernel.w + w});
        }
      all.push_back(s);
    }
  return all;
}

/// Part of a grid: from `at`, of `size`.
struct Tile {
  Place at, size;
  Index places() const { return size.h * size.w; }
};

/// A sweep cut into tiles, and the patch of the image that a tile reads: [channels, height, width] with
/// `plane` elements from channel to channel, zeros where it goes beyond the image.
class Tiles {
 public:
  static constexpr Index most = 1024;  // places of a tile

  /// Tiles of at most `places`, fewer where a patch would not stay in the second cache.
  Tiles(const Sweep& sweep, Index channels, std::size_t element, Index places)
      : sweep_(sweep), channels_(channels) {
    if (!sweep.taps.empty()) low_ = high_ = sweep.taps[0].at;
    for (const Tap& t : sweep.taps) {
      low_ = {std::min(low_.h, t.at.h), std::min(low_.w, t.at.w)};
      high_ = {std::max(high_.h, t.at.h), std::max(high_.w, t.at.w)};
    }
    constexpr Index least = 32;  // to use a weight more than once
    constexpr std::size_t patch_bytes = 192 << 10;
    size_.w = std::min(sweep.grid.w, places);
    size_.h = std::clamp<Index>(places / size_.w, 1, sweep.grid.h);
    while (size_.h * size_.w > least && static_cast<std::size_t>(patch_elements()) * element > patch_bytes)
      (size_.h > 1 ? size_.h : size_.w) /= 2;
    const auto even = [](Index n, Index size) { return parts(n, parts(n, size)); };
    size_ = {even(sweep.grid.h, size_.h), even(sweep.grid.w, size_.w)};
    across_ = parts(sweep.grid.w, size_.w);
  }

  Index count() const { return parts(sweep_.grid.h, size_.h) * across_; }
  Tile operator[](Index i) const {
    const Place at{i / across_ * size_.h, i % across_ * size_.w};
    return {at, {std::min(size_.h, sweep_.grid.h - at.h), std::min(size_.w, sweep_.grid.w - at.w)}};
  }
  /// The most places of a tile.
  Index places() const { return size_.h * size_.w; }
  /// From the first to behind the last place of a tile in its patch, at most.
  Index extent() const { return (size_.h - 1) * sweep_.step.h * width() + (size_.w - 1) * sweep_.step.w + 1; }

  Index width() const { return (size_.w - 1) * sweep_.step.w + high_.w - low_.w + 1; }
  /// An odd number of cache lines: planes a power of two apart would all fall into the same few.
  Index plane() const { return (parts(height() * width(), 16) | 1) * 16; }
  Index patch_elements() const { return channels_ * plane(); }

  /// Where in the patch the places of a tile stand, row by row; `at` has room for them.
  void stand(const Tile& t, Index* at) const {
    for (Index i = 0; i < t.size.h; ++i)
      for (Index j = 0; j < t.size.w; ++j) *at++ = i * sweep_.step.h * width() + j * sweep_.step.w;
  }
  /// Where from there term k lies: channel k / taps, tap k % taps.
  std::vector<Index> terms() const {
    std::vector<Index> at;
    for (Index c = 0; c < channels_; ++c)
      for (const Tap& t : sweep_.taps)
        at.push_back(c * plane() + (t.at.h - low_.h) * width() + t.at.w - low_.w);
    return at;
  }

  /// Reads the patch of a tile out of an image [channels, size].
  template <class T>
  void read(const Tile& t, const T* image, Place size, T* patch) const {
    const Index top = t.at.h * sweep_.step.h + low_.h, left = t.at.w * sweep_.step.w + low_.w;
    const Index w = width(), h = height();
    const Index first = std::clamp<Index>(-top, 0, h), last = std::clamp<Index>(size.h - top, first, h);
    const Index begin = std::clamp<Index>(-left, 0, w), end = std::clamp<Index>(size.w - left, begin, w);
    for (Index c = 0; c < channels_; ++c, image += size.h * size.w, patch += plane()) {
      std::fill_n(patch, first * w, T(0));
      if (left == 0 && w == size.w)
        std::copy_n(image + (top + first) * w, (last - first) * w, patch + first * w);
      else
        for (Index r = first; r < last; ++r) {
          T* row = patch + r * w;
          std::fill(row, row + begin, T(0));
          if (begin < end) std::copy_n(image + (top + r) * size.w + left + begin, end - begin, row + begin);
          std::fill(row + end, row + w, T(0));
        }
      std::fill(patch + last * w, patch + plane(), T(0));
    }
  }

 private:
  static Index parts(Index n, Index size) { return (n + size - 1) / size; }
  Index height() const { return (size_.h - 1) * sweep_.step.h + high_.h - low_.h + 1; }

  const Sweep& sweep_;
  Index channels_, across_ = 1;
  Place low_, high_, size_;
};

}  // namespace fovea

#endif  // FOVEA_KERNELS_SWEEP_H_
