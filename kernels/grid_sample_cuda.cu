#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/grid_sample.h"
#include "fovea/kernels/grid_sample_terms.h"
#include "fovea/kernels/tap.h"

namespace fovea {
namespace {

constexpr auto op = "grid_sample";

// How images are read at points, all as in the header.
template <int taps, class T>
struct Sampler {
  SampleAxis<taps, T> x, y;
  const T* points;
  Index batch, channels, height, width, count;  // of points of an image

  Sampler(const View& image, const View& at, SampleRule rule)
      : x(image.shape[3], rule),
        y(image.shape[2], rule),
        points(at.as<const T>()),
        batch(image.shape[0]),
        channels(image.shape[1]),
        height(image.shape[2]),
        width(image.shape[3]),
        count(at.shape[1] * at.shape[2]) {}
  FOVEA_HD Index plane() const { return height * width; }
};

// One dimension of one point.
template <int taps, class T>
struct Line {
  int pixel[taps];
  T weight[taps], slope[taps];
  Line() = default;
  __device__ Line(const SampleAxis<taps, T>& axis, T coordinate) {
    axis.take(axis.pixel(axis.limited(coordinate)), [this](int t, std::int32_t p, T w, T s) {
      pixel[t] = p;
      weight[t] = w;
      slope[t] = s;
    });
  }
};

// A point: tap t is tap t / taps down and t % taps across.
template <int taps, class T>
struct Point {
  static constexpr int count = taps * taps;
  Line<taps, T> x, y;
  Point() = default;
  __device__ Point(const Sampler<taps, T>& s, Index i)
      : x(s.x, s.points[2 * i]), y(s.y, s.points[2 * i + 1]) {}
  __device__ Index place(int t, Index width) const { return y.pixel[t / taps] * width + x.pixel[t % taps]; }
  __device__ T weight(int t) const { return y.weight[t / taps] * x.weight[t % taps]; }
  __device__ T slope_x(int t) const { return y.weight[t / taps] * x.slope[t % taps]; }
  __device__ T slope_y(int t) const { return y.slope[t / taps] * x.weight[t % taps]; }
};

// A thread takes a point, of all channels or, where points are few, of some.
template <int taps, class T>
void forward(Cuda d, Sampler<taps, T> s, const T* image, T* y) {
  const Index points = s.batch * s.count, slabs = slabs_for(points, s.channels, 4);
  each(d, points * slabs, [=] __device__(Index task) {
    const Index slab = task / points, i = task - slab * points, b = i / s.count, k = i - b * s.count;
    const Point<taps, T> at(s, i);
    for (Index c = s.channels * slab / slabs; c < s.channels * (slab + 1) / slabs; ++c) {
      const T* plane = image + (b * s.channels + c) * s.plane();
      T sum = 0;
      for (int t = 0; t < at.count; ++t) sum += tap(at.weight(t), plane[at.place(t, s.width)]);
      y[(b * s.channels + c) * s.count + k] = sum;
    }
  });
}

template <int taps, class T>
void points_gradient(Cuda d, Sampler<taps, T> s, const T* image, const T* dy, T* dpoints, bool add) {
  each(d, s.batch * s.count, [=] __device__(Index i) {
    const Index b = i / s.count, k = i - b * s.count;
    const Point<taps, T> at(s, i);
    T sx = 0, sy = 0;
    for (Index c = 0; c < s.channels; ++c) {
      const T *plane = image + (b * s.channels + c) * s.plane(), up = dy[(b * s.channels + c) * s.count + k];
      T along_x = 0, along_y = 0;
      for (int t = 0; t < at.count; ++t) {
        const T value = plane[at.place(t, s.width)];
        along_x += tap(at.slope_x(t), value);
        along_y += tap(at.slope_y(t), value);
      }
      sx += up * along_x;
      sy += up * along_y;
    }
    put(dpoints + 2 * i, sx, add);
    put(dpoints + 2 * i + 1, sy, add);
  });
}

// dx[place] += weight dy, where any number of points may meet in a pixel. A block takes a square of pixels,
// one thread each, and goes through all points of the image: those that touch the square are put in a list,
// in their order, and then every thread picks out its own. So the sums come out the same every time, and
// nobody waits for anybody's atomics.
constexpr int side = 16, list_room = side * side;
static_assert(list_room == block_threads);

template <int taps, class T>
struct Entry {
  Index point;
  Point<taps, T> at;
};

template <int taps, class T>
__global__ void __launch_bounds__(block_threads)
    image_gradient(Sampler<taps, T> s, Index across, Index squares, const T* dy, T* dx, bool add) {
  __shared__ Entry<taps, T> list[list_room];
  __shared__ int counts[block_threads / 32];
  const int me = static_cast<int>(threadIdx.x), warp = me / 32, lane = me % 32;
  const Index b = blockIdx.x / squares, square = blockIdx.x - b * squares;
  const auto top = static_cast<int>(square / across * side), left = static_cast<int>(square % across * side);
  const int row = top + me / side, column = left + me % side;
  const bool mine = row < s.height && column < s.width;
  const Index image = b * s.channels * s.plane(), place = row * s.width + column;
  for (Index c = 0; mine && !add && c < s.channels; ++c) dx[image + c * s.plane() + place] = 0;

  for (Index first = 0; first < s.count; first += block_threads) {
    constexpr int end = taps - 1;
    const Point<taps, T> at(s, b * s.count + std::min(first + me, s.count - 1));
    const bool touches = first + me < s.count && at.y.pixel[end] >= top && at.y.pixel[0] < top + side &&
                         at.x.pixel[end] >= left && at.x.pixel[0] < left + side;
    const unsigned votes = __ballot_sync(all_lanes, touches);
    if (lane == 0) counts[warp] = __popc(votes);
    __syncthreads();
    int before = __popc(votes & ((1u << lane) - 1)), found = 0;
    for (int w = 0; w < block_threads / 32; ++w) {
      if (w < warp) before += counts[w];
      found += counts[w];
    }
    if (touches) list[before] = {first + me, at};
    __syncthreads();
    for (int i = 0; mine && i < found; ++i) {
      const Entry<taps, T>& entry = list[i];
      T down = 0, sideways = 0;
      for (int t = 0; t < taps; ++t) {
        down += entry.at.y.pixel[t] == row ? entry.at.y.weight[t] : T(0);
        sideways += entry.at.x.pixel[t] == column ? entry.at.x.weight[t] : T(0);
      }
      const T weight = down * sideways;
      if (!(weight > 0)) continue;  // nor does one of NaN add anything
      for (Index c = 0; c < s.channels; ++c)
        dx[image + c * s.plane() + place] += weight * dy[(b * s.channels + c) * s.count + entry.point];
    }
    __syncthreads();
  }
}

template <int taps, class T>
void backward(Cuda d, const Sampler<taps, T>& s, const T* image, const T* dy, const Target& dx,
              const Target& dpoints) {
  const Index across = (s.width + side - 1) / side, squares = across * ((s.height + side - 1) / side);
  if (dx && s.batch > 0)
    launch(d, image_gradient<taps, T>, dim3(static_cast<unsigned>(s.batch * squares)), block_threads, 0, s,
           across, squares, dy, dx.as<T>(), dx.into == Into::add);
  // After dx: where x is its own grid, both go to one place, and this one adds.
  if (dpoints) points_gradient(d, s, image, dy, dpoints.as<T>(), dpoints.into == Into::add);
}

}  // namespace

void grid_sample_forward(Cuda d, const View& x, const View& points, SampleRule rule, const View& y) {
  visit_float(op, x.dtype, [&]<class T>() {
    if (rule.bilinear)
      forward(d, Sampler<2, T>(x, points, rule), x.as<const T>(), y.as<T>());
    else
      forward(d, Sampler<1, T>(x, points, rule), x.as<const T>(), y.as<T>());
  });
}

void grid_sample_backward(Cuda d, const View& x, const View& points, SampleRule rule, const View& dy,
                          const Target& dx, const Target& dpoints) {
  visit_float(op, x.dtype, [&]<class T>() {
    if (rule.bilinear)
      backward(d, Sampler<2, T>(x, points, rule), x.as<const T>(), dy.as<const T>(), dx, dpoints);
    else
      backward(d, Sampler<1, T>(x, points, rule), x.as<const T>(), dy.as<const T>(), dx, dpoints);
  });
}

}  // namespace fovea
