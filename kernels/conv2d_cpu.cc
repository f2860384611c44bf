#include "fovea/kernels/conv2d.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/scratch.h"
#include "fovea/kernels/sweep.h"
#include "fovea/kernels/tile.h"

// Every pass is sums of products (tile.h) over a patch of the image that stays in the cache; there is no
// column matrix. With k for a channel and a tap, and p for a place:
//   forward, input gradient   out[p][o] = sum over k  patch[p + k] w[k][o]    vectors along o
//   the same for few o        out[o][p] = sum over k  w[o][k] patch[k + p]    vectors along p
//   weight gradient           dw[k][o]  = sum over p  patch[k + p] dy[p][o]   vectors along o
// The first two are here, the third is in conv2d_weight_cpu.cc.

namespace fovea {
namespace {

constexpr auto op = "conv2d";
constexpr Index grain = 1 << 18;  // products of vectors for which starting threads pays

// The weights as one pass sees them: data[g * group + o * out + i * in + tap] for output channel o and input
// channel i of group g.
template <class T>
struct Weights {
  const T* data;
  Index group, out, in;
};

// One sweep over all images, done in one of two ways.
template <class T>
struct Pass {
  Images<const T> in;
  Images<T> out;
  Weights<T> w;
  const T* bias;
  const Sweep& sweep;
  Into into;

  void run() const;
  template <int V>
  void along_channels() const;
  template <int V>
  void along_places() const;
  // Where the weights of every term lie, which are the taps of every input channel.
  std::vector<Index> weights() const {
    std::vector<Index> at;
    for (Index i = 0; i < in.channels; ++i)
      for (const Tap& t : sweep.taps) at.push_back(i * w.in + t.weight);
    return at;
  }
  // The sums of output channel o of a tile, in rows `ld` apart, put into their image.
  void put(const T* sums, Index ld, T* image, Index o, const Tile& tile) const {
    T* to = image + o * out.area() + sweep.first.w + tile.at.w * sweep.stride.w;
    for (Index i = 0; i < tile.size.h; ++i) {
      const T* from = sums + i * ld;
      T* row = to + (sweep.first.h + (tile.at.h + i) * sweep.stride.h) * out.size.w;
      if (sweep.stride.w == 1)
        store(row, tile.size.w, into, [from](Index k) { return from[k]; });
      else
        for (Index k = 0; k < tile.size.w; ++k)
          row[k * sweep.stride.w] = into == Into::add ? row[k * sweep.stride.w] + from[k] : from[k];
    }
  }
};

// 0, step, 2 step, ...
std::vector<Index> multiples(Index n, Index step) {
  std::vector<Index> all;
  for (Index i = 0; i < n; ++i) all.push_back(i * step);
  return all;
}

// Vectors along the output channels.
template <class T>
template <int V>
void Pass<T>::along_channels() const {
  constexpr Index L = V * Lanes<T>::count, depth = 256;  // so many rows of a panel stay in the first cache
  const Tiles tiles(sweep, in.channels, sizeof(T), 256);
  const std::vector<Index> term = tiles.terms(), weight = weights(), row = multiples(depth, L);
  const Index K = static_cast<Index>(term.size()), O = out.channels, panels = (O + L - 1) / L;

  // The weights of L channels side by side, below a row of what their sums start from.
  const Scratch<T> packed(in.groups * panels * (K + 1) * L);
  parallel_for(in.groups * panels, K * L, cheap_grain, [&](Index begin, Index end) {
    for (Index q = begin; q < end; ++q) {
      const Index g = q / panels, first = q % panels * L;
      T* panel = packed.data() + q * (K + 1) * L;
      std::fill_n(panel, (K + 1) * L, T(0));
      for (Index l = 0; l < std::min(L, O - first); ++l) {
        const T* from = w.data + g * w.group + (first + l) * w.out;
        if (bias) panel[l] = bias[g * O + first + l];
        for (Index k = 0; k < K; ++k) panel[(k + 1) * L + l] = from[weight[static_cast<std::size_t>(k)]];
      }
    }
  });

  const Index patch_elements = tiles.patch_elements(), most = tiles.places();
  const auto sum_tile = [&](Index item, T* patch) {
    const Tile tile = tiles[item % tiles.count()];
    const Index image = item / tiles.count(), b = image / in.groups, g = image % in.groups;
    const Index P = tile.places();
    Index place[Tiles::most];
    tiles.read(tile, in.of(b, g), in.size, patch);
    tiles.stand(tile, place);
    T *sums = patch + patch_elements, *flipped = sums + P * L;
    // Places that follow each other in the output too need not be put there row by row.
    const bool one_run =
        sweep.stride.h == 1 && sweep.stride.w == 1 && tile.size.w == out.size.w && into == Into::set;
    for (Index q = 0; q < panels; ++q) {
      const T* panel = packed.data() + (g * panels + q) * (K + 1) * L;
      for (Index k = 0; k == 0 || k < K; k += depth)
        sums_of_products<T, V>({patch, place, term.data() + k, panel + (k + 1) * L, row.data(),
                                std::min(depth, K - k), k == 0 ? panel : nullptr, sums, L},
                               P);
      const Index channels = std::min(L, O - q * L);
      if (one_run) {
        T* to = out.of(b, g) + q * L * out.area() + tile.at.h * out.size.w;
        transpose(sums, L, to, out.area(), P, channels, true, false);
      } else {
        transpose(sums, L, flipped, P, P, channels, true, false);
        for (Index o = 0; o < channels; ++o) put(flipped + o * P, tile.size.w, out.of(b, g), q * L + o, tile);
      }
    }
  };
  parallel_with_scratch<T>(in.batch * in.groups * tiles.count(), most * K * panels * V, grain,
                           patch_elements + 2 * most * L, sum_tile);
}

// Vectors along the places, which must lie side by side: for so few output channels that most lanes would be
// idle above. Sums at the end of a patch's rows, which belong to no place, are made and left.
template <class T>
template <int V>
void Pass<T>::along_places() const {
  constexpr Index L = V * Lanes<T>::count;
  const Tiles tiles(sweep, in.channels, sizeof(T), Tiles::most);
  const std::vector<Index> term = tiles.terms(), weight = weights();
  const Index K = static_cast<Index>(term.size()), O = out.channels;
  const std::vector<Index> row = multiples(O, K), column = multiples(K, 1);
  const Scratch<T> packed(in.groups * O * K);
  T* next = packed.data();
  for (Index g = 0; g < in.groups; ++g)
    for (Index o = 0; o < O; ++o)
      for (Index at : weight) *next++ = w.data[g * w.group + o * w.out + at];

  // The last vectors reach beyond the patch.
  const Index patch_elements = tiles.patch_elements() + L, most = (tiles.extent() + L - 1) / L * L;
  const auto sum_tile = [&](Index item, T* patch) {
    const Tile tile = tiles[item % tiles.count()];
    const Index image = item / tiles.count(), b = image / in.groups, g = image % in.groups;
    tiles.read(tile, in.of(b, g), in.size, patch);
    T* sums = patch + patch_elements;
    for (Index o = 0; o < O; ++o) std::fill_n(sums + o * most, most, bias ? bias[g * O + o] : T(0));
    for (Index p = 0; p < most; p += L)
      sums_of_products<T, V>({packed.data() + g * O * K, row.data(), column.data(), patch + p, term.data(), K,
                              nullptr, sums + p, most},
                             O);
    for (Index o = 0; o < O; ++o) put(sums + o * most, tiles.width(), out.of(b, g), o, tile);
  };
  parallel_with_scratch<T>(in.batch * in.groups * tiles.count(), most / Lanes<T>::count * K * O, grain,
                           patch_elements + O * most, sum_tile);
}

template <class T>
void Pass<T>::run() const {
  if (sweep.step.h == 1 && sweep.step.w == 1) {
    if (out.channels == 1) return along_places<8>();
    if (out.channels == 2) return along_places<6>();
    if (out.channels == 3) return along_places<4>();
  }
  with_vectors<T>(out.channels, [this]<int V>() { this->template along_channels<V>(); });
}

}  // namespace

void conv2d_forward(Cpu, const View& x, const View& w, const View& bias, const ConvWindow& window,
                    const Target& y) {
  const Sweep sweep = forward_sweep(window, {w.shape[2], w.shape[3]}, {y.dx.shape[2], y.dx.shape[3]});
  visit_float(op, x.dtype, [&]<class T>() {
    const Images<const T> in(x.as<const T>(), x.shape, window.groups);
    const Images<T> out(y.as<T>(), y.dx.shape, window.groups);
    const Index taps = w.shape[2] * w.shape[3], row = in.channels * taps;
    Pass<T>{.in = in,
            .out = out,
            .w = {w.as<const T>(), out.channels * row, row, taps},
            .bias = bias.as<const T>(),
            .sweep = sweep,
            .into = y.into}
        .run();
  });
}

void conv2d_input_gradient(Cpu, const View& dy, const View& w, const View& bias, const ConvWindow& window,
                           const Target& dx) {
  visit_float(op, dy.dtype, [&]<class T>() {
    const Images<const T> in(dy.as<const T>(), dy.shape, window.groups);
    const Images<T> out(dx.as<T>(), dx.dx.shape, window.groups);
    const Index taps = w.shape[2] * w.shape[3], row = out.channels * taps;
    for (const Sweep& sweep : gradient_sweeps(window, {w.shape[2], w.shape[3]}, out.size))
      Pass<T>{.in = in,
              .out = out,
              .w = {w.as<const T>(), in.channels * row, taps, row},
              .bias = bias.as<const T>(),
              .sweep = sweep,
              .into = dx.into}
          .run();
  });
}

}  // namespace fovea
