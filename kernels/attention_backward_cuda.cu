#include "fovea/kernels/attention_cuda_tile.h"

// Every tile of scores is made again: with a row's log-sum-exp saved, its weights are exp(s - lse). One
// kernel goes over keys for the gradient of the queries, one over queries for those of keys and values, and
// one over all that a bias is stretched to; so no two blocks add to one place.

namespace fovea {
namespace {

using namespace attention;

constexpr auto op = "scaled_dot_product_attention";

// What all of the backward kernels read.
template <class T>
struct Given {
  Problem<T> a;
  Heads<const T> dy;
  const T *log_sums, *delta;  // (B,H,Lq); delta is dy . y

  __device__ Strip<T> up(Index b, Index h, Index i) const { return {dy, b, h, i, a.Lq, a.E}; }

  // The weights w of the tile from query i0 and key j0 on, and the gradient ds of its scores s: with f the
  // factors of dropout and dw = dy v^T, w = f exp(s - lse) and ds = exp(s - lse) (f dw - sum w dw), where the
  // sum is dy . y. Rows of the tile are queries, or where it is turned keys.
  template <bool turned>
  __device__ void tile(Shared<T>& shared, Index b, Index h, Index i0, Index j0, typename Tile<T>::Square& w,
                       typename Tile<T>::Square& ds) const {
    constexpr int pack = Tile<T>::pack;
    const Strip<T> q = a.queries(b, h, i0), k = a.keys(b, h, j0), dy = up(b, h, i0), v = a.values(b, h, j0);
    add_products(shared, turned ? k : q, turned ? q : k, w);
    add_products(shared, turned ? v : dy, turned ? dy : v, ds);
    const Index i = i0 + (turned ? column(0) : row<T>()), j = j0 + (turned ? row<T>() : column(0));
    const std::uint32_t dropped = a.dropped(b, h, i, j, turned ? 1 : a.Lk, turned ? a.Lk : 1);
#pragma unroll
    for (int r = 0; r < pack; ++r)
#pragma unroll
      for (int c = 0; c < pack; ++c)
        differentiate(b, h, i + (turned ? side * c : r), j + (turned ? r : side * c),
                      a.factor(dropped >> (r * pack + c)), w[r][c], ds[r][c]);
  }

 private:
  // From the products s = q.k and ds = dy.v.
  __device__ void differentiate(Index b, Index h, Index i, Index j, T f, T& s, T& ds) const {
    if (i >= a.Lq || j >= a.seen(i)) {
      s = ds = 0;
      return;
    }
    const Index row = (b * a.H + h) * a.Lq + i;
    const T p = math::exp(a.score(s, b, h, i, j) - log_sums[row]);
    ds = p * (f * ds - delta[row]);
    s = p * f;
  }
};

template <class T>
struct Output {
  Heads<T> rows;
  bool add;
  explicit Output(const Target& t) : rows(t.dx), add(t.into == Into::add) {}

  // This thread's squares, of which the first starts at column `from` of rows of `width`.
  template <int squares>
  __device__ void write(Index b, Index h, Index i0, Index length, Index from, Index width, T scale,
                        const typename Tile<T>::Square (&x)[squares]) const {
    using Q = Tile<T>;
#pragma unroll
    for (int r = 0; r < Q::pack; ++r) {
      const Index i = i0 + row<T>() + r;
      if (i >= length) continue;
      T* to = rows.at(b, h, i);
#pragma unroll
      for (int k = 0; k < squares; ++k)
#pragma unroll
        for (int c = 0; c < Q::pack; ++c) {
          const Index e = from + k * Q::size + output_column<T>() + c;
          if (e < width) put(to + e, x[k][r][c] * scale, add);
        }
    }
  }
};

// A block takes a tile of queries.
template <class T, int squares>
__global__ void __launch_bounds__(threads, blocks_together)
    queries(Given<T> g, Output<T> dq, Index tiles, Index slices) {
  using Q = Tile<T>;
  const Problem<T>& a = g.a;
  __shared__ Shared<T> shared;
  Index block = blockIdx.x;
  const Index from = block % slices * squares * Q::size;
  block /= slices;
  const Index i0 = (tiles - 1 - block % tiles) * Q::size;  // the last see the most keys: they start first
  block /= tiles;
  const Index b = block / a.H, h = block % a.H;

  typename Q::Square out[squares] = {};
  const Index keys = a.seen(std::min<Index>(i0 + Q::size, a.Lq) - 1);
  for (Index j = 0; j < keys; j += Q::size) {
    typename Q::Square w = {}, ds = {};
    g.template tile<false>(shared, b, h, i0, j, w, ds);
    keep(shared, ds);
#pragma unroll
    for (int k = 0; k < squares; ++k) add_weighted(shared, a.keys(b, h, j), from + k * Q::size, out[k]);
  }
  dq.write(b, h, i0, a.Lq, from, a.D, a.scale, out);
}

// A block takes a tile of keys and their values, for all heads that share them. Rows are keys here.
template <class T, int squares>
__global__ void __launch_bounds__(threads, squares == 1 ? blocks_together : 1)
    keys_and_values(Given<T> g, Output<T> dk, Output<T> dv, Index tiles, Index slices) {
  using Q = Tile<T>;
  const Problem<T>& a = g.a;
  __shared__ Shared<T> shared;
  Index block = blockIdx.x;
  const Index from = block % slices * squares * Q::size;
  block /= slices;
  const Index j0 = block % tiles * Q::size;
  block /= tiles;
  const Index b = block / a.G, group = block % a.G, heads = a.H / a.G;

  typename Q::Square key[squares] = {}, value[squares] = {};
  for (Index h = group * heads; h < (group + 1) * heads; ++h)
    for (Index i = a.first_to_see(j0); i < a.Lq; i += Q::size) {
      typename Q::Square w = {}, ds = {};
      g.template tile<true>(shared, b, h, i, j0, w, ds);
      if (dv.rows.data) {
        keep(shared, w);
#pragma unroll
        for (int k = 0; k < squares; ++k) add_weighted(shared, g.up(b, h, i), from + k * Q::size, value[k]);
      }
      if (dk.rows.data) {
        keep(shared, ds);
#pragma unroll
        for (int k = 0; k < squares; ++k)
          add_weighted(shared, a.queries(b, h, i), from + k * Q::size, key[k]);
      }
    }
  // In this order: the two may be one buffer.
  if (dk.rows.data) dk.write(b, group, j0, a.Lk, from, a.D, a.scale, key);
  if (dv.rows.data) dv.write(b, group, j0, a.Lk, from, a.E, T(1), value);
}

// Where a dimension of the bias is stretched, a block goes over all of it; else it takes one place or tile.
struct Span {
  Index first, last;
  __device__ Span(bool own, Index at, Index step, Index n) : first(own ? at * step : 0), last(n) {
    if (own && first + step < n) last = first + step;
  }
};

struct Counts {
  Index b, h, i, j;  // of places or tiles that blocks take
};

template <class T>
__global__ void __launch_bounds__(threads, blocks_together)
    bias(Given<T> g, Stretched<T> dbias, Counts counts) {
  using Q = Tile<T>;
  const Problem<T>& a = g.a;
  __shared__ Shared<T> shared;
  Index block = blockIdx.x;
  const Span keys(dbias.j != 0, block % counts.j, Q::size, a.Lk);
  block /= counts.j;
  const Span rows(dbias.i != 0, block % counts.i, Q::size, a.Lq);
  block /= counts.i;
  const Span heads(dbias.h != 0, block % counts.h, 1, a.H), batch(dbias.b != 0, block / counts.h, 1, a.B);

  typename Q::Square sum = {};
  for (Index b = batch.first; b < batch.last; ++b)
    for (Index h = heads.first; h < heads.last; ++h)
      for (Index i = rows.first; i < rows.last; i += Q::size)
        for (Index j = keys.first; j < std::min(keys.last, a.seen(std::min<Index>(i + Q::size, a.Lq) - 1));
             j += Q::size) {
          typename Q::Square w = {}, ds = {};
          g.template tile<false>(shared, b, h, i, j, w, ds);
          for (int r = 0; r < Q::pack; ++r)
            for (int c = 0; c < Q::pack; ++c) sum[r][c] += ds[r][c];
        }
  keep(shared, sum);
  __syncthreads();
  const int height = dbias.i != 0 ? Q::size : 1, width = dbias.j != 0 ? Q::size : 1;
  for (int e = static_cast<int>(threadIdx.x); e < height * width; e += threads) {
    const int r = e / width, c = e % width;
    if (rows.first + r >= a.Lq || keys.first + c >= a.Lk) continue;
    T total = 0;
    for (int y = r; y < Q::size; y += height)
      for (int x = c; x < Q::size; x += width) total += shared.weights[y * Q::ld + x];
    put(dbias.at(batch.first, heads.first, rows.first + r, keys.first + c), total, true);
  }
}

unsigned narrow(Index blocks) { return static_cast<unsigned>(blocks); }

}  // namespace

void attention_backward(Cuda d, const Attention& a, const View& y, const View& log_sums, const View& dy,
                        const Target& dq, const Target& dk, const Target& dv, const View& dbias) {
  if (a.q.dtype == DType::bf16) return backward_bf16(d, a, y, log_sums, dy, dq, dk, dv);
  visit_float(op, a.q.dtype, [&]<class T>() {
    const Problem<T> p(a);
    const DeviceScratch<T> delta(d, p.B * p.H * p.Lq);
    dots(d, p, Heads<const T>(y), Heads<const T>(dy), delta.data());
    const Given<T> g{p, Heads<const T>(dy), log_sums.as<const T>(), delta.data()};
    const Index q_tiles = tiles<T>(p.Lq), k_tiles = tiles<T>(p.Lk);
    if (dq && p.B * p.H * q_tiles > 0)
      with_slices<T>(p.D, [&](auto squares, Index slices) {
        launch(d, queries<T, squares>, dim3(narrow(p.B * p.H * q_tiles * slices)), threads, 0, g,
               Output<T>(dq), q_tiles, slices);
      });
    if ((dk || dv) && p.B * p.G * k_tiles > 0)
      with_slices<T>(std::max(p.D, p.E), [&](auto squares, Index slices) {
        launch(d, keys_and_values<T, squares>, dim3(narrow(p.B * p.G * k_tiles * slices)), threads, 0, g,
               Output<T>(dk), Output<T>(dv), k_tiles, slices);
      });
    if (dbias && p.B * p.H * q_tiles * k_tiles > 0) {
      const auto places = [&](int dim, Index n) { return dbias.strides[dim] == 0 ? 1 : n; };
      const Counts n{places(0, p.B), places(1, p.H), places(2, q_tiles), places(3, k_tiles)};
      launch(d, bias<T>, dim3(narrow(n.b * n.h * n.i * n.j)), threads, 0, g, Stretched<T>(dbias), n);
    }
  });
}

}  // namespace fovea
