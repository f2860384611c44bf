#include <limits>
#include <numeric>

#include "fovea/kernels/conv2d.h"
#include "fovea/kernels/cuda_product.h"
#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/divisor.h"
#include "fovea/kernels/reduce.h"

// Implicit GEMM: every pass is a matrix product of which one operand is never stored: its element (t, p) is
// the pixel that place p has at term t, a channel and a tap, and it is read out of the image when a tile of
// the product is loaded. It runs on FMA units, so f32 factors stay f32; and on tensor cores, which round them
// to 10 bits, where that is allowed. Columns in memory and cuBLAS would be the other way; but writing and
// reading every pixel once for each tap takes longer than the products where channels are few, as in the
// networks here, and one launch does it all.
//   forward, input gradient   out[o][p] = sum over t  w[o][t] pixel(t, p)
//   weight gradient           dw[o][t]  = sum over p  dy[o][p] pixel(t, p)
// Places are counted through all images.

namespace fovea {
namespace {

constexpr auto op = "conv2d";
constexpr int no = -1;

int narrow(Index n, const char* what) {
  require(n <= std::numeric_limits<int>::max(), op, n, " ", what,
          " are more than CUDA's kernel takes; split the batch");
  return static_cast<int>(n);
}

// One dimension of a sweep over images. Sum i of `count` stands at pixel i * step of what is read and goes to
// pixel first + i * stride of what is written; its t-th tap of `taps` is at + t * apart pixels on and takes
// weight tap + t * tap_apart.
struct Line {
  int count = 0, step = 1, first = 0, stride = 1;
  int taps = 0, at = 0, apart = 0, tap = 0, tap_apart = 1;
};

Line forward_line(const ConvWindow& c, int axis, const Shape& w, Index out) {
  const auto k = static_cast<std::size_t>(axis);
  return {.count = static_cast<int>(out),
          .step = static_cast<int>(c.stride[k]),
          .taps = static_cast<int>(w[2 + axis]),
          .at = static_cast<int>(-c.padding[k]),
          .apart = static_cast<int>(c.dilation[k])};
}

// The transpose, for the pixels first, first + stride, ... of dx, which all meet the same weights: those k
// for which first + padding - k * dilation is a multiple of the stride.
Line gradient_line(const ConvWindow& c, int axis, const Shape& w, Index in, Index first) {
  const auto n = static_cast<std::size_t>(axis);
  const Index stride = c.stride[n], dilation = c.dilation[n], kernel = w[2 + axis];
  const Index apart = stride / std::gcd(stride, dilation), from = first + c.padding[n];
  Index k = 0;
  while (k < std::min(kernel, apart) && (from - k * dilation) % stride != 0) ++k;
  const bool some = k < std::min(kernel, apart);
  return {.count = static_cast<int>((in - first - 1) / stride + 1),
          .first = static_cast<int>(first),
          .stride = static_cast<int>(stride),
          .taps = static_cast<int>(some ? (kernel - 1 - k) / apart + 1 : 0),
          .at = static_cast<int>((from - k * dilation) / stride),
          .apart = static_cast<int>(-dilation * apart / stride),
          .tap = static_cast<int>(k),
          .tap_apart = static_cast<int>(apart)};
}

// The images of an operand: `group` elements from group to group, `image` from image to image.
template <class T>
struct Images {
  T* data;
  int height, width, channels;  // of a group
  Index group, image;
  Images(T* data, const Shape& s, Index groups)
      : data(data),
        height(static_cast<int>(s[2])),
        width(static_cast<int>(s[3])),
        channels(static_cast<int>(s[1] / groups)),
        group(s[1] / groups * s[2] * s[3]),
        image(s[1] * s[2] * s[3]) {}
  FOVEA_HD Index area() const { return Index(height) * width; }
};

// Where the sum of one place stands: its pixel of channel 0 in what is read; and where it goes.
struct Stand {
  Index at, to;
  int h, w;
};
// A term: how far its pixel and its weight lie from there; `weight` is `no` when there is no such term.
struct Reach {
  Index at, weight;
  int h, w;
};

struct Sweep {
  Line h, w;
  int places, terms;
  Divisor area, across, taps, taps_across;
  Index kernel_width, next_channel;  // of the weights

  Sweep() = default;
  Sweep(const Line& h, const Line& w, Index batch, Index channels, const Shape& weights, Index next_channel)
      : h(h),
        w(w),
        places(narrow(batch * h.count * w.count, "places")),
        terms(narrow(channels * h.taps * w.taps, "weights of one sum")),
        area(h.count * w.count),
        across(w.count),
        taps(h.taps * w.taps),
        taps_across(w.taps),
        kernel_width(weights[3]),
        next_channel(next_channel) {}

  template <class In, class Out>
  __device__ Stand stand(int place, const In& in, const Out& out) const {
    const int b = area.quotient(place), p = place - b * area.by();
    const int i = across.quotient(p), j = p - i * across.by();
    const int y = i * h.step, x = j * w.step;
    return {b * in.image + Index(y) * in.width + x,
            b * out.image + Index(h.first + i * h.stride) * out.width + w.first + j * w.stride, y, x};
  }
  template <class In>
  __device__ Reach reach(int term, const In& in) const {
    const int c = taps.quotient(term), t = term - c * taps.by();
    const int i = taps_across.quotient(t), j = t - i * taps_across.by();
    const int y = h.at + i * h.apart, x = w.at + j * w.apart;
    const Index weight =
        c * next_channel + (h.tap + i * h.tap_apart) * kernel_width + w.tap + j * w.tap_apart;
    return {c * in.area() + Index(y) * in.width + x, weight, y, x};
  }
};

template <class T>
__device__ T pixel(const Images<const T>& in, const T* group, const Stand& s, const Reach& r) {
  const auto y = static_cast<unsigned>(s.h + r.h), x = static_cast<unsigned>(s.w + r.w);
  const bool inside = y < static_cast<unsigned>(in.height) && x < static_cast<unsigned>(in.width);
  return inside ? group[s.at + r.at] : T(0);
}

// ---- forward and input gradient: columns are places, terms are weights

template <class T>
struct Sums {
  using Element = T;
  static constexpr bool columns_along_k = false;
  static constexpr int at_once = 4;  // sweeps: those of an input gradient with stride 2

  Images<const T> in;
  Images<T> out;
  const T *w, *bias;
  Index group, row;  // elements of w from group to group, from output channel to output channel
  bool add;
  int groups, tiles;  // column tiles of a sweep, at most
  Sweep sweeps[at_once];

  struct Part {
    const Sums& all;
    const Sweep& sweep;
    const T *in, *w, *bias;
    T* out;
    int rows, columns, first_column, begin, end;

    __device__ Reach term(int k) const { return k < end ? sweep.reach(k, all.in) : Reach{0, no, 0, 0}; }
    __device__ Stand column(int j) const {
      return sweep.stand(j < columns ? j : columns - 1, all.in, all.out);  // of one too many nothing is put
    }
    __device__ Stand output(int j) const { return column(j); }
    __device__ T a(int i, const Reach& r) const {
      return i < rows && r.weight != no ? w[i * all.row + r.weight] : T(0);
    }
    __device__ T b(const Reach& r, const Stand& s) const {
      return r.weight != no ? pixel(all.in, in, s, r) : T(0);
    }
    __device__ void put(const Stand& s, int i, T sum) const {
      fovea::put(out + s.to + i * all.out.area(), bias ? sum + bias[i] : sum, all.add);
    }
  };
  __device__ Part part(int block, int tile_columns) const {
    const int g = block / tiles % groups;
    const Sweep& s = sweeps[block / tiles / groups];
    return {*this,
            s,
            in.data + g * in.group,
            w + g * group,
            bias ? bias + g * out.channels : nullptr,
            out.data + g * out.group,
            out.channels,
            s.places,
            block % tiles * tile_columns,
            0,
            s.terms};
  }
};

// Calls f with the tile that suits so many rows and columns in so many parts.
template <class F>
void with_tile(Index rows, Index columns, Index parts, F f) {
  constexpr Index enough_blocks = 128;
  if (rows <= 4)
    f.template operator()<ProductTile<4, 256, 16>>();
  else if (rows <= 32)
    f.template operator()<ProductTile<16, 256, 16>>();
  else if (parts * ((rows + 127) / 128) * ((columns + 127) / 128) < enough_blocks)
    f.template operator()<ProductTile<64, 64, 16>>();
  else
    f.template operator()<ProductTile<128, 128, 8>>();
}

template <class T>
void run(Cuda d, Sums<T> sums, int sweeps, int places) {
  if (places == 0) return;
  with_tile(sums.out.channels, places, Index(sweeps) * sums.groups, [&]<class Tile>() {
    sums.tiles = (places - 1) / Tile::columns + 1;
    start_product<Tile>(d, sums.out.channels, Index(sweeps) * sums.groups * sums.tiles, sums);
  });
}

// ---- weight gradient: columns are weights, terms are places

template <class T>
struct WeightSums {
  using Element = T;
  static constexpr bool columns_along_k = true;

  Images<const T> in, dy;
  T* sums;  // [slab][group][output channel][weight]
  bool add;
  int groups, slabs, tiles;
  Sweep sweep;

  struct Part {
    const WeightSums& all;
    const T *in, *dy;
    T* sums;
    int rows, columns, first_column, begin, end;

    __device__ Stand term(int k) const {
      return k < end ? all.sweep.stand(k, all.in, all.dy) : Stand{0, no, 0, 0};
    }
    __device__ Reach column(int j) const { return all.sweep.reach(j < columns ? j : columns - 1, all.in); }
    __device__ int output(int j) const { return j; }
    __device__ T a(int i, const Stand& s) const {
      return i < rows && s.to != no ? dy[s.to + i * all.dy.area()] : T(0);
    }
    __device__ T b(const Stand& s, const Reach& r) const {
      return s.to != no ? pixel(all.in, in, s, r) : T(0);
    }
    __device__ void put(int j, int i, T sum) const {
      fovea::put(sums + Index(i) * columns + j, sum, all.add);
    }
  };
  __device__ Part part(int block, int tile_columns) const {
    const int g = block / tiles % groups, slab = block / tiles / groups;
    const Index block_of_sums = Index(dy.channels) * sweep.terms;
    return {*this,
            in.data + g * in.group,
            dy.data + g * dy.group,
            sums + (Index(slab) * groups + g) * block_of_sums,
            dy.channels,
            sweep.terms,
            block % tiles * tile_columns,
            static_cast<int>(Index(sweep.places) * slab / slabs),
            static_cast<int>(Index(sweep.places) * (slab + 1) / slabs)};
  }
};

// A team for every weight: for groups with so few that they would leave a tile empty, as depthwise ones.
template <class T>
void few_weights(Cuda d, const WeightSums<T>& all) {
  const int terms = all.sweep.terms;
  each_row(d, Index(all.groups) * all.dy.channels * terms, all.sweep.places,
           [=] __device__(const auto& team, Index weight) {
             const auto row = static_cast<int>(weight / terms), j = static_cast<int>(weight % terms);
             const int g = row / all.dy.channels, i = row % all.dy.channels;
             const Reach r = all.sweep.reach(j, all.in);
             const T *in = all.in.data + g * all.in.group,
                     *dy = all.dy.data + g * all.dy.group + i * all.dy.area();
             const T sum = team.template sum<T>(all.sweep.places, [&](Index p) {
               const Stand s = all.sweep.stand(static_cast<int>(p), all.in, all.dy);
               return dy[s.to] * pixel(all.in, in, s, r);
             });
             if (team.lane == 0) put(all.sums + weight, sum, all.add);
           });
}

// Where tiles are few the places are cut into slabs, whose sums are then added: by sizes, so that results do
// not depend on the device.
template <class Tile, class T>
void in_slabs(Cuda d, WeightSums<T> all) {
  constexpr Index enough_blocks = 512, least = 512;
  const Index rows = all.dy.channels, terms = all.sweep.terms, n = all.groups * rows * terms;
  all.tiles = static_cast<int>((terms - 1) / Tile::columns + 1);
  const Index blocks = all.groups * all.tiles * ((rows - 1) / Tile::rows + 1);
  const Index slabs = std::clamp<Index>(all.sweep.places / least, 1, (enough_blocks + blocks - 1) / blocks);
  all.slabs = static_cast<int>(slabs);
  const DeviceScratch<T> room(d, slabs > 1 ? slabs * n : 0);
  T *to = all.sums, *parts = room.data();
  const bool add = all.add;
  if (slabs > 1) {
    all.sums = parts;
    all.add = false;
  }
  start_product<Tile>(d, all.dy.channels, slabs * all.groups * all.tiles, all);
  if (slabs == 1) return;
  sum_columns<1>(
      d, slabs, n, [=] __device__(Index s, Index i) { return std::array{parts[s * n + i]}; },
      [=] __device__(Index i, const std::array<double, 1>& sum) {
        put(to + i, static_cast<T>(sum[0]), add);
      });
}

template <class T>
void run(Cuda d, const WeightSums<T>& all) {
  if (all.dy.channels * all.sweep.terms <= 64)
    few_weights(d, all);
  else if (all.dy.channels >= 128 && all.sweep.terms >= 128)
    in_slabs<ProductTile<128, 128, 8>>(d, all);
  else
    in_slabs<ProductTile<64, 64, 16>>(d, all);
}

}  // namespace

void conv2d_forward(Cuda d, const View& x, const View& w, const View& bias, const ConvWindow& c,
                    const Target& y) {
  const Shape& out = y.dx.shape;
  const Index G = c.groups, taps = w.shape[2] * w.shape[3], row = w.shape[1] * taps;
  const Sweep sweep(forward_line(c, 0, w.shape, out[2]), forward_line(c, 1, w.shape, out[3]), out[0],
                    w.shape[1], w.shape, taps);
  visit_float(op, x.dtype, [&]<class T>() {
    run(d,
        Sums<T>{.in = {x.as<const T>(), x.shape, G},
                .out = {y.as<T>(), out, G},
                .w = w.as<const T>(),
                .bias = bias.as<const T>(),
                .group = out[1] / G * row,
                .row = row,
                .add = y.into == Into::add,
                .groups = static_cast<int>(G),
                .tiles = 0,
                .sweeps = {sweep}},
        1, sweep.places);
  });
}

void conv2d_input_gradient(Cuda d, const View& dy, const View& w, const View& bias, const ConvWindow& c,
                           const Target& dx) {
  const Shape& out = dx.dx.shape;
  const Index G = c.groups, taps = w.shape[2] * w.shape[3], row = w.shape[1] * taps;
  visit_float(op, dy.dtype, [&]<class T>() {
    Sums<T> sums{.in = {dy.as<const T>(), dy.shape, G},
                 .out = {dx.as<T>(), out, G},
                 .w = w.as<const T>(),
                 .bias = bias.as<const T>(),
                 .group = dy.shape[1] / G * row,
                 .row = taps,
                 .add = dx.into == Into::add,
                 .groups = static_cast<int>(G),
                 .tiles = 0,
                 .sweeps = {}};
    int sweeps = 0, places = 0;
    const auto flush = [&] {
      run(d, sums, sweeps, places);
      sweeps = places = 0;
    };
    for (Index h = 0; h < std::min(c.stride[0], out[2]); ++h)
      for (Index v = 0; v < std::min(c.stride[1], out[3]); ++v) {
        const Sweep s(gradient_line(c, 0, w.shape, out[2], h), gradient_line(c, 1, w.shape, out[3], v),
                      out[0], dy.shape[1] / G, w.shape, row);
        sums.sweeps[sweeps++] = s;
        places = std::max(places, s.places);
        if (sweeps == Sums<T>::at_once) flush();
      }
    if (sweeps > 0) flush();
  });
}

void conv2d_weight_gradient(Cuda d, const View& dy, const View& x, const ConvWindow& c, const Target& dw) {
  const Shape& w = dw.dx.shape;
  const Sweep sweep(forward_line(c, 0, w, dy.shape[2]), forward_line(c, 1, w, dy.shape[3]), dy.shape[0], w[1],
                    w, w[2] * w[3]);
  visit_float(op, dy.dtype, [&]<class T>() {
    run(d, WeightSums<T>{.in = {x.as<const T>(), x.shape, c.groups},
                         .dy = {dy.as<const T>(), dy.shape, c.groups},
                         .sums = dw.as<T>(),
                         .add = dw.into == Into::add,
                         .groups = static_cast<int>(c.groups),
                         .slabs = 1,
                         .tiles = 0,
                         .sweep = sweep});
  });
}

void conv2d_bias_gradient(Cuda d, const View& dy, const Target& db) {
  sum_forward(d, dy, 1, {db.dx.data, db.dx.dtype, dy.shape, {0, 1, 0, 0}}, db.into);
}

}  // namespace fovea
