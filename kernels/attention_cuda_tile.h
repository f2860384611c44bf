#ifndef FOVEA_KERNELS_ATTENTION_CUDA_TILE_H_
#define FOVEA_KERNELS_ATTENTION_CUDA_TILE_H_

#include <cmath>
#include <limits>

#include "fovea/kernels/attention.h"
#include "fovea/kernels/convert.h"
#include "fovea/kernels/cuda_philox.h"
#include "fovea/kernels/cuda_team.h"
#include "fovea/kernels/scalar_math.h"

/// What attention's kernels are made of. A block of 16 x 16 threads takes a square tile of the matrix of
/// scores, of which every thread holds a small square in registers; operands come through shared memory in
/// pieces, so that rows may have any length. Loops over a thread's square are unrolled: only arrays whose
/// indices are constants are kept in registers.

namespace fovea::attention {

inline constexpr int side = 16;
inline constexpr int threads = side * side;
inline constexpr int blocks_together = 2;  // on a multiprocessor: one waits for memory, the other computes

/// Sizes of a tile: `pack` elements are one load of 16 bytes.
template <class T>
struct Tile {
  static constexpr int pack = 16 / sizeof(T);
  static constexpr int size = side * pack;       // of a tile; a thread holds pack x pack of it
  static constexpr int depth = size / 2;         // of a product's operands, at a time
  static constexpr int depth_ld = depth + pack;  // from row to row of an operand, and
  static constexpr int ld = size + pack;         // of a tile: no two threads of a load share a bank
  using Square = T[pack][pack];
};

/// A thread's part of a tile: rows row() to row() + pack - 1, columns column(0), column(1), ...
template <class T>
__device__ int row() {
  return static_cast<int>(threadIdx.x) / side * Tile<T>::pack;
}
__device__ inline int column(int c) { return static_cast<int>(threadIdx.x) % side + side * c; }

template <class T>
struct alignas(16) Shared {
  T operands[2 * Tile<T>::size * Tile<T>::depth_ld];  // two, `depth` wide, or one as wide as a tile
  T weights[Tile<T>::size * Tile<T>::ld];
};

template <class T>
struct alignas(16) Pack {
  T v[Tile<T>::pack];
};
template <class T>
__device__ Pack<T> pack_at(const T* from) {
  return *reinterpret_cast<const Pack<T>*>(from);
}

/// Where the rows of every head lie; null: nowhere.
template <class T>
struct Heads {
  T* data;
  Index b, h, i;  // strides
  explicit Heads(const View& v)
      : data(v.as<T>()), b(v ? v.strides[0] : 0), h(v ? v.strides[1] : 0), i(v ? v.strides[2] : 0) {}
  __device__ T* at(Index bb, Index hh, Index ii) const { return data + bb * b + hh * h + ii * i; }
};

/// Some neighbouring rows of a head, as many as a tile has or as are left.
template <class T>
struct Strip {
  const T* first;
  Index stride, rows, width;
  __device__ Strip(const Heads<const T>& x, Index b, Index h, Index i, Index length, Index width)
      : first(x.at(b, h, i)), stride(x.i), rows(length - i), width(width) {}
  __device__ Strip(const T* first, Index stride, Index rows, Index width)
      : first(first), stride(stride), rows(rows), width(width) {}
  /// Without the first i rows.
  __device__ Strip from(Index i) const { return {first + i * stride, stride, rows - i, width}; }
};

/// Columns [from, from + columns) of a strip to shared memory, zeros where it has none.
template <int columns, int ld, class T>
__device__ void load(const Strip<T>& x, Index from, T* to) {
  for (int e = static_cast<int>(threadIdx.x); e < Tile<T>::size * columns; e += threads) {
    const int r = e / columns, c = e % columns;
    to[r * ld + c] = r < x.rows && from + c < x.width ? x.first[r * x.stride + from + c] : T(0);
  }
}

// The two functions below start when the operands in shared memory are free to be written, and leave them so.

/// sum += x y^T: of this thread's rows of x with its columns' rows of y.
template <class T>
__device__ void add_products(Shared<T>& s, const Strip<T>& x, const Strip<T>& y,
                             typename Tile<T>::Square& sum) {
  using Q = Tile<T>;
  T *a = s.operands, *b = a + Q::size * Q::depth_ld;
  for (Index from = 0; from < x.width; from += Q::depth) {
    load<Q::depth, Q::depth_ld>(x, from, a);
    load<Q::depth, Q::depth_ld>(y, from, b);
    __syncthreads();
    for (int k = 0; k < Q::depth; k += Q::pack) {
      Pack<T> u[Q::pack], v[Q::pack];
      for (int r = 0; r < Q::pack; ++r) u[r] = pack_at(a + (row<T>() + r) * Q::depth_ld + k);
      for (int c = 0; c < Q::pack; ++c) v[c] = pack_at(b + column(c) * Q::depth_ld + k);
      for (int i = 0; i < Q::pack; ++i)
        for (int r = 0; r < Q::pack; ++r)
          for (int c = 0; c < Q::pack; ++c) sum[r][c] += u[r].v[i] * v[c].v[i];
    }
    __syncthreads();
  }
}

/// sum += weights x: of this thread's rows of the weights, which lie in shared memory, with pack columns of
/// x: output_column() and those after it.
template <class T>
__device__ int output_column() {
  return static_cast<int>(threadIdx.x) % side * Tile<T>::pack;
}
template <class T>
__device__ void add_weighted(Shared<T>& s, const Strip<T>& x, Index from, typename Tile<T>::Square& sum) {
  using Q = Tile<T>;
  load<Q::size, Q::size>(x, from, s.operands);
  __syncthreads();
  for (int j = 0; j < Q::size; j += Q::pack) {
    Pack<T> w[Q::pack];
    for (int r = 0; r < Q::pack; ++r) w[r] = pack_at(s.weights + (row<T>() + r) * Q::ld + j);
    for (int i = 0; i < Q::pack; ++i) {
      const Pack<T> v = pack_at(s.operands + (j + i) * Q::size + output_column<T>());
      for (int r = 0; r < Q::pack; ++r)
        for (int c = 0; c < Q::pack; ++c) sum[r][c] += w[r].v[i] * v.v[c];
    }
  }
  __syncthreads();
}

/// This thread's part of a tile to shared memory, as weights.
template <class T>
__device__ void keep(Shared<T>& s, const typename Tile<T>::Square& x) {
#pragma unroll
  for (int r = 0; r < Tile<T>::pack; ++r)
    for (int c = 0; c < Tile<T>::pack; ++c) s.weights[(row<T>() + r) * Tile<T>::ld + column(c)] = x[r][c];
}

/// What stretches over the scores, or null.
template <class T>
struct Stretched {
  T* data;
  Index b, h, i, j;  // strides
  explicit Stretched(const View& v)
      : data(v.as<T>()),
        b(v ? v.strides[0] : 0),
        h(v ? v.strides[1] : 0),
        i(v ? v.strides[2] : 0),
        j(v ? v.strides[3] : 0) {}
  __device__ T* at(Index bb, Index hh, Index ii, Index jj) const {
    return data + bb * b + hh * h + ii * i + jj * j;
  }
};

/// Attention (attention.h), as kernels take it.
template <class T>
struct Problem {
  using Sum = Wide<T>;  // what scores are

  Index B, H, G, Lq, Lk, D, E;
  Heads<const T> q, k, v;
  Stretched<const std::uint8_t> keep;
  Stretched<const T> bias;
  bool causal;
  Sum scale, kept_scale;  // of the scores, and of weights that dropout leaves
  std::uint32_t least;    // upper 24 bits of a random word that leave a weight; 0: no dropout
  RandomState random;

  explicit Problem(const Attention& a)
      : B(a.q.shape[0]),
        H(a.q.shape[1]),
        G(a.k.shape[1]),
        Lq(a.q.shape[2]),
        Lk(a.k.shape[2]),
        D(a.q.shape[3]),
        E(a.v.shape[3]),
        q(a.q),
        k(a.k),
        v(a.v),
        keep(a.keep),
        bias(a.bias),
        causal(a.causal),
        scale(static_cast<Sum>(a.scale)),
        kept_scale(static_cast<Sum>(1 / (1 - a.dropout))),
        least(static_cast<std::uint32_t>(std::ceil(a.dropout * 0x1p24))),
        random(a.random) {}

  __device__ Index group(Index h) const { return h / (H / G); }
  __device__ Strip<T> queries(Index b, Index h, Index i) const { return {q, b, h, i, Lq, D}; }
  __device__ Strip<T> keys(Index b, Index h, Index j) const { return {k, b, group(h), j, Lk, D}; }
  __device__ Strip<T> values(Index b, Index h, Index j) const { return {v, b, group(h), j, Lk, E}; }

  /// The number of keys, from 0 on, that query i sees; the first query that sees key j.
  __device__ Index seen(Index i) const {
    if (!causal) return Lk;
    const Index n = i + 1 + Lk - Lq;
    return n < 0 ? 0 : n < Lk ? n : Lk;
  }
  __device__ Index first_to_see(Index j) const { return causal && j > Lk - Lq ? j - (Lk - Lq) : 0; }

  /// Whether query i attends to key j; either may be beyond the last.
  __device__ bool attends(Index b, Index h, Index i, Index j) const {
    return i < Lq && j < seen(i) && (!keep.data || *keep.at(b, h, i, j) != 0);
  }

  /// Their biased and masked score.
  __device__ T score(T product, Index b, Index h, Index i, Index j) const {
    if (!attends(b, h, i, j)) return -std::numeric_limits<T>::infinity();
    return scale * product + (bias.data ? *bias.at(b, h, i, j) : T(0));
  }

  /// Which weights of this thread's square dropout takes, as bits: bit r * pack + c for row r and column c,
  /// when the first is that of query i and key j. (A loop of its own: as a part of unrolled code the making
  /// of random numbers would be there for every weight.)
  __device__ std::uint32_t dropped(Index b, Index h, Index i, Index j, Index per_row,
                                   Index per_column) const {
    constexpr int pack = Tile<T>::pack;
    std::uint32_t bits = 0;
    if (least == 0) return bits;
    const Index first = ((b * H + h) * Lq + i) * Lk + j;
#pragma unroll 1
    for (int n = 0; n < pack * pack; ++n) {
      const Index at = first + n / pack * per_row + n % pack * side * per_column;
      bits |= std::uint32_t{word_at(random, at) >> 8 < least} << n;
    }
    return bits;
  }
  /// Dropout's factor of a weight, 0 or 1 / (1 - p), of which the lowest bit says whether it is taken.
  __device__ Sum factor(std::uint32_t dropped) const { return dropped & 1 ? Sum(0) : kept_scale; }
};

/// The tiles that n rows are cut into.
template <class T>
Index tiles(Index n) {
  return (n + Tile<T>::size - 1) / Tile<T>::size;
}

/// Calls f with the number of squares that a thread holds of a row of the output `width` wide: 1, or 2 where
/// rows are longer; f's second argument is into how many slices of that the row is cut. A block takes one,
/// and makes the scores for itself.
template <class T, class F>
void with_slices(Index width, F f) {
  constexpr Index one = Tile<T>::size;
  if (width <= one)
    f(std::integral_constant<int, 1>(), Index{1});
  else
    f(std::integral_constant<int, 2>(), (width + 2 * one - 1) / (2 * one));
}

/// delta (B,H,Lq) = dy . y, of every row.
template <class T>
void dots(Cuda d, const Problem<T>& a, Heads<const T> y, Heads<const T> dy, Wide<T>* delta) {
  using Sum = Wide<T>;
  const Index H = a.H, Lq = a.Lq, E = a.E;
  each_row(d, a.B * H * Lq, E, [=] __device__(const auto& team, Index r) {
    const Index bh = r / Lq, i = r - bh * Lq, b = bh / H, h = bh - b * H;
    const T *from = y.at(b, h, i), *up = dy.at(b, h, i);
    const Sum sum = team.template sum<Sum>(
        E, [&](Index e) { return static_cast<Sum>(from[e]) * static_cast<Sum>(up[e]); });
    if (team.lane == 0) delta[r] = sum;
  });
}

/// attention_forward() and attention_backward() of bf16 (see attention_takes_bf16).
void forward_bf16(Cuda d, const Attention& a, const View& y, const View& log_sums);
void backward_bf16(Cuda d, const Attention& a, const View& y, const View& log_sums, const View& dy,
                   const Target& dq, const Target& dk, const Target& dv);

}  // namespace fovea::attention

#endif  // FOVEA_KERNELS_ATTENTION_CUDA_TILE_H_
