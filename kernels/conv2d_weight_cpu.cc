#include "fovea/kernels/conv2d.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/scratch.h"
#include "fovea/kernels/sweep.h"
#include "fovea/kernels/tile.h"

namespace fovea {
namespace {

constexpr auto op = "conv2d";
constexpr Index grain = 1 << 18;  // products of vectors for which starting threads pays

// dw[k][o] = sum over images and places p of patch[k + p] dy[p][o]: see conv2d_cpu.cc.
template <class T, int V>
void weight_gradient(const Images<const T>& dy, const Images<const T>& x, const Sweep& sweep, T* dw,
                     Into into) {
  constexpr Index L = V * Lanes<T>::count, enough = 16, most_sums = 1 << 20;
  const Tiles tiles(sweep, x.channels, sizeof(T), 256);
  const std::vector<Index> term = tiles.terms();
  const Index K = static_cast<Index>(term.size()), O = dy.channels, G = dy.groups;
  const Index panels = (O + L - 1) / L, items = dy.batch * tiles.count();
  std::vector<Index> row;
  for (Index p = 0; p < tiles.places(); ++p) row.push_back(p * L);

  // A task sums over a slab of the images; of few slabs, where more would hold too many sums, also for one
  // panel of output channels alone. Cut by sizes, so that results do not depend on the number of threads.
  const Index slabs = std::clamp<Index>(most_sums / (G * panels * K * L), 1, std::min(enough, items));
  const Index shares = slabs == enough ? 1 : panels, each = panels / shares;
  const Scratch<T> all(slabs * G * panels * K * L);
  const Index patch_elements = tiles.patch_elements(), cost = tiles.places() * K * V * each;
  const auto sum_slab = [&](Index task, T* patch) {
    const Index s = task / (G * shares), g = task / shares % G, first = task % shares * each;
    T *panel = patch + patch_elements, *sums = all.data() + ((s * G + g) * panels + first) * K * L;
    std::fill_n(panel, tiles.places() * L, T(0));
    std::fill_n(sums, each * K * L, T(0));
    Index place[Tiles::most];
    for (Index i = items * s / slabs; i < items * (s + 1) / slabs; ++i) {
      const Tile tile = tiles[i % tiles.count()];
      const Index b = i / tiles.count(), P = tile.places();
      tiles.read(tile, x.of(b, g), x.size, patch);
      tiles.stand(tile, place);
      const Index runs = tile.size.w == dy.size.w ? 1 : tile.size.h, length = P / runs;
      for (Index q = 0; q < each; ++q) {
        const Index o = (first + q) * L;
        const T* from = dy.of(b, g) + o * dy.area() + tile.at.h * dy.size.w + tile.at.w;
        for (Index r = 0; r < runs; ++r)
          transpose(from + r * dy.size.w, dy.area(), panel + r * length * L, L, std::min(L, O - o), length,
                    false, true);
        sums_of_products<T, V>(
            {patch, term.data(), place, panel, row.data(), P, nullptr, sums + q * K * L, L}, K);
      }
    }
  };
  parallel_with_scratch<T>(slabs * G * shares, items / slabs * cost, grain,
                           patch_elements + tiles.places() * L, sum_slab);

  parallel_for(G * panels, slabs * K * L, cheap_grain, [&](Index begin, Index end) {
    for (Index q = begin; q < end; ++q) {
      T* sum = all.data() + q * K * L;
      for (Index s = 1; s < slabs; ++s) {
        const T* more = sum + s * G * panels * K * L;
        store(sum, K * L, Into::add, [more](Index k) { return more[k]; });
      }
      const Index g = q / panels, o = q % panels * L;
      for (Index l = 0; l < std::min(L, O - o); ++l)
        store(dw + (g * O + o + l) * K, K, into, [=](Index k) { return sum[k * L + l]; });
    }
  });
}

}  // namespace

void conv2d_weight_gradient(Cpu, const View& dy, const View& x, const ConvWindow& window, const Target& dw) {
  const Sweep sweep = forward_sweep(window, {dw.dx.shape[2], dw.dx.shape[3]}, {dy.shape[2], dy.shape[3]});
  visit_float(op, dy.dtype, [&]<class T>() {
    const Images<const T> out(dy.as<const T>(), dy.shape, window.groups),
        in(x.as<const T>(), x.shape, window.groups);
    with_vectors<T>(out.channels,
                    [&]<int V>() { weight_gradient<T, V>(out, in, sweep, dw.as<T>(), dw.into); });
  });
}

void conv2d_bias_gradient(Cpu, const View& dy, const Target& db) {
  const Index B = dy.shape[0], O = dy.shape[1], P = dy.shape[2] * dy.shape[3];
  visit_float(op, dy.dtype, [&]<class T>() {
    parallel_for(O, B * P, cheap_grain, [&](Index begin, Index end) {
      for (Index o = begin; o < end; ++o) {
        double sum = 0;
        for (Index b = 0; b < B; ++b) {
          const T* plane = dy.as<const T>() + (b * O + o) * P;
          sum += static_cast<double>(sum_of<T>(P, [plane](Index p) { return plane[p]; }));
        }
        db.as<T>()[o] = static_cast<T>(sum) + (db.into == Into::add ? db.as<T>()[o] : T(0));
      }
    });
  });
}

}  // namespace fovea
