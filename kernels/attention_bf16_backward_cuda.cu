#include "fovea/kernels/attention_bf16_cuda.h"

// As for f32 (attention_backward_cuda.cu), tiles of scores are made again, by one kernel for the queries'
// gradient and one for those of keys and values; so no two blocks add to one place. In the second rows are
// keys, so that there, too, weights are left factors as they come.

namespace fovea::attention {
namespace {

// What both kernels read.
struct Given {
  Problem<bf16> a;
  Heads<const bf16> dy;
  const float *log_sums, *delta;  // (B,H,Lq); delta is dy . y

  __device__ Strip<bf16> up(Index b, Index h, Index i) const { return {dy, b, h, i, a.Lq, a.E}; }
  __device__ Index first(Index b, Index h) const { return (b * a.H + h) * a.Lq; }
};

template <int width>
constexpr int stage = 2 * columns_for(width) * width;  // of two matrices' tiles

constexpr int rows = warps * 16;

// The rows that a warp keeps: of two matrices, x and y. What the block fetches first, alone.
template <int width>
__device__ void keep_rows(bf16* shared, const Strip<bf16>& x, const Strip<bf16>& y, Left<width>& left_x,
                          Left<width>& left_y) {
  static_assert(2 * rows * width <= 2 * stage<width>);
  fetch<rows, width>(shared, x);
  fetch<rows, width>(shared + rows * width, y);
  tensor_cores::wait_for_copies();
  __syncthreads();
  read<width, 1>(left_x, shared);
  read<width, 1>(left_y, shared + rows * width);
  __syncthreads();
}

// A block takes 64 queries.
template <int width, bool plain>
__global__ void __launch_bounds__(bf16_threads, 2) queries(Given g, Heads<bf16> dq, bool add, Index tiles) {
  constexpr int columns = columns_for(width);
  alignas(16) __shared__ bf16 shared[2 * stage<width>];
  const Problem<bf16>& a = g.a;
  Index block = blockIdx.x;
  const Index i0 = (tiles - 1 - block % tiles) * rows;  // the last see the most keys: they start first
  block /= tiles;
  const Index b = block / a.H, h = block % a.H;

  Left<width> query, up;
  keep_rows<width>(shared, a.queries(b, h, i0), g.up(b, h, i0), query, up);
  float log_sum[2], delta[2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const Index i = i0 + warp() * 16 + row_of(2 * r);
    log_sum[r] = i < a.Lq ? g.log_sums[g.first(b, h) + i] * log2_e : 0.f;
    delta[r] = i < a.Lq ? g.delta[g.first(b, h) + i] : 0.f;
  }

  const int keys = static_cast<int>(a.seen(std::min<Index>(i0 + rows, a.Lq) - 1));
  const Strip<bf16> k = a.keys(b, h, 0), v = a.values(b, h, 0);
  const auto fetch_tile = [&](int j) {
    bf16* to = shared + j / columns % 2 * stage<width>;
    fetch<columns, width>(to, k.from(j));
    fetch<columns, width>(to + stage<width> / 2, v.from(j));
  };
  if (keys > 0) fetch_tile(0);
  Sums<width> out = {};
  const float to_log2 = a.scale * log2_e;
  for (int j0 = 0; j0 < keys; j0 += columns) {
    tensor_cores::wait_for_copies();
    __syncthreads();  // the tile is there, and nobody reads the one before any more
    if (j0 + columns < keys) fetch_tile(j0 + columns);
    bf16* tile = shared + j0 / columns % 2 * stage<width>;
    Sums<columns> s = {}, ds = {};
    add_products<columns, width, 1>(s, query, tile);
    add_products<columns, width, 1>(ds, up, tile + stage<width> / 2);
#pragma unroll
    for (int n = 0; n < columns / 8; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) s[0][n][e] = s[0][n][e] * to_log2 - log_sum[e / 2];
    if (!((plain || !a.keep.data) && j0 + columns <= a.seen(i0)))
      hide<false, plain, columns, 1>(a, b, h, i0 + warp() * 16, j0, s);
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      std::uint32_t bits[columns / 32 + 1] = {};
      if constexpr (!plain)
        if (a.least != 0)
          dropped<columns>(a, (g.first(b, h) + i0 + warp() * 16 + row_of(2 * r)) * a.Lk + j0, bits);
#pragma unroll
      for (int n = 0; n < columns / 8; ++n)
#pragma unroll
        for (int c = 0; c < 2; ++c) {
          float& x = ds[0][n][2 * r + c];
          if constexpr (!plain) x *= a.factor(bits[n / 4] >> (n % 4 * 8 + column_of(c)));
          x = tensor_cores::exp2(s[0][n][2 * r + c]) * (x - delta[r]);
        }
    }
    add_weighted<columns, width, 1>(out, ds, tile);
  }
  const float scale[1][2] = {{a.scale, a.scale}};
  write<width, 1>(dq, b, h, i0, a.Lq, a.D, out, scale, add);
}

// Which of a warp's 16 keys x 8 queries dropout takes, from key j and query i on: bit n for element n of the
// lane's four. The four lanes of a group make a query's words, which other lanes want.
__device__ inline unsigned dropped_turned(const Problem<bf16>& a, Index first_query, Index j) {
  std::uint32_t bits[1];
  dropped<16>(a, (first_query + lane() / 4) * a.Lk + j, bits);
  unsigned mine = 0;
#pragma unroll
  for (int c = 0; c < 2; ++c) {
    const std::uint32_t of_query = __shfl_sync(0xffffffffu, bits[0], 4 * column_of(c));
#pragma unroll
    for (int r = 0; r < 2; ++r) mine |= (of_query >> row_of(2 * r) & 1u) << (2 * r + c);
  }
  return mine;
}

// A block takes 64 keys and their values, for all heads that share them, and makes the gradients of keys, of
// values, or of both.
template <int width, bool plain, bool key, bool value>
__global__ void __launch_bounds__(bf16_threads, 2)
    keys_and_values(Given g, Heads<bf16> dk, bool add_k, Heads<bf16> dv, bool add_v, Index tiles) {
  constexpr int columns = columns_for(width);
  alignas(16) __shared__ bf16 shared[2 * stage<width>];
  __shared__ float log_sums[2][columns], deltas[2][columns];
  const Problem<bf16>& a = g.a;
  Index block = blockIdx.x;
  const Index j0 = block % tiles * rows;
  block /= tiles;
  const Index b = block / a.G, group = block % a.G, heads = a.H / a.G, j1 = j0 + warp() * 16;

  Left<width> keys, values;
  keep_rows<width>(shared, a.keys(b, group * heads, j0), a.values(b, group * heads, j0), keys, values);
  const Index from = a.first_to_see(j0);
  const int steps = a.Lq > from ? static_cast<int>((a.Lq - from + columns - 1) / columns) : 0,
            all_steps = static_cast<int>(heads) * steps;
  const auto fetch_tile = [&](int n) {
    const Index h = group * heads + n / steps, i = from + n % steps * columns;
    bf16* to = shared + n % 2 * stage<width>;
    fetch<columns, width>(to, a.queries(b, h, i));
    fetch<columns, width>(to + stage<width> / 2, g.up(b, h, i));
    if (const int t = static_cast<int>(threadIdx.x); t < columns) {
      const bool there = i + t < a.Lq;
      const Index at = there ? g.first(b, h) + i + t : 0;
      tensor_cores::copy<4>(&log_sums[n % 2][t], g.log_sums + at, there);
      tensor_cores::copy<4>(&deltas[n % 2][t], g.delta + at, there);
    }
  };
  if (steps > 0) fetch_tile(0);
  Sums<width> sum_k = {}, sum_v = {};
  const float to_log2 = a.scale * log2_e;
  for (int n = 0; n < all_steps; ++n) {
    tensor_cores::wait_for_copies();
    __syncthreads();  // the tile is there, and nobody reads the one before any more
    if (n + 1 < all_steps) fetch_tile(n + 1);
    const Index h = group * heads + n / steps, i0 = from + n % steps * columns;
    bf16 *query = shared + n % 2 * stage<width>, *up = query + stage<width> / 2;
    Sums<columns> w = {}, ds = {};
    add_products<columns, width, 1>(w, keys, query);
    if constexpr (key) add_products<columns, width, 1>(ds, values, up);
#pragma unroll
    for (int m = 0; m < columns / 8; ++m)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        w[0][m][e] = w[0][m][e] * to_log2 - log_sums[n % 2][m * 8 + column_of(e)] * log2_e;
    // Beyond the last key there is nothing to write, and beyond the last query nothing to add.
    if (!((plain || !a.keep.data) && (!a.causal || a.seen(i0) >= std::min(j1 + 16, a.Lk))))
      hide<true, plain, columns, 1>(a, b, h, j1, i0, w);
#pragma unroll
    for (int m = 0; m < columns / 8; ++m) {
      unsigned taken = 0;
      if constexpr (!plain)
        if (a.least != 0) taken = dropped_turned(a, g.first(b, h) + i0 + m * 8, j1);
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const float p = tensor_cores::exp2(w[0][m][e]), f = plain ? 1.f : a.factor(taken >> e);
        if constexpr (key) ds[0][m][e] = p * (f * ds[0][m][e] - deltas[n % 2][m * 8 + column_of(e)]);
        w[0][m][e] = p * f;
      }
    }
    if constexpr (value) add_weighted<columns, width, 1>(sum_v, w, up);
    if constexpr (key) add_weighted<columns, width, 1>(sum_k, ds, query);
  }
  // In this order: the two may be one buffer.
  const float scale[1][2] = {{a.scale, a.scale}}, one[1][2] = {{1, 1}};
  if constexpr (key) write<width, 1>(dk, b, group, j0, a.Lk, a.D, sum_k, scale, add_k);
  if constexpr (value) write<width, 1>(dv, b, group, j0, a.Lk, a.E, sum_v, one, add_v);
}

}  // namespace

void backward_bf16(Cuda d, const Attention& given, const View& y, const View& log_sums, const View& dy,
                   const Target& dq, const Target& dk, const Target& dv) {
  const Problem<bf16> a(given);
  const DeviceScratch<float> delta(d, a.B * a.H * a.Lq);
  dots(d, a, Heads<const bf16>(y), Heads<const bf16>(dy), delta.data());
  const Given g{a, Heads<const bf16>(dy), log_sums.as<const float>(), delta.data()};
  const auto adds = [](const Target& t) { return t.into == Into::add; };
  const Index q_tiles = (a.Lq + rows - 1) / rows, k_tiles = (a.Lk + rows - 1) / rows;
  const auto q_blocks = static_cast<unsigned>(a.B * a.H * q_tiles),
             k_blocks = static_cast<unsigned>(a.B * a.G * k_tiles);
  with_kernel(a, [&](auto width, auto plain) {
    if (dq && q_blocks > 0)
      launch(d, queries<width, plain>, dim3(q_blocks), bf16_threads, 0, g, Heads<bf16>(dq.dx), adds(dq),
             q_tiles);
    const auto launch_keys = [&](auto kernel) {
      launch(d, kernel, dim3(k_blocks), bf16_threads, 0, g, Heads<bf16>(dk.dx), adds(dk), Heads<bf16>(dv.dx),
             adds(dv), k_tiles);
    };
    if (k_blocks == 0) return;
    // Long heads leave a lane registers for the sums of one of the two.
    if constexpr (width <= 64) {
      if (dk && dv) return launch_keys(keys_and_values<width, plain, true, true>);
    }
    if (dk) launch_keys(keys_and_values<width, plain, true, false>);
    if (dv) launch_keys(keys_and_values<width, plain, false, true>);
  });
}

}  // namespace fovea::attention
