#include "fovea/kernels/attention_bf16_cuda.h"

namespace fovea::attention {
namespace {

constexpr float ln_2 = 0.693147181f;

// A block takes 64 queries, or 128 where their heads are short: then a lane has registers for two stacks, and
// keys that come from shared memory serve both.
constexpr int stacks_for(int width) { return width <= 64 ? 2 : 1; }
constexpr int rows_for(int width) { return warps * 16 * stacks_for(width); }

template <int width, bool plain>
__global__ void __launch_bounds__(bf16_threads, 2)
    forward(Problem<bf16> a, Heads<bf16> y, float* log_sums, Index tiles) {
  constexpr int columns = columns_for(width), stacks = stacks_for(width), rows = rows_for(width);
  constexpr int stage = 2 * columns * width;
  constexpr float none = -std::numeric_limits<float>::infinity();
  static_assert(rows * width <= stage);
  alignas(16) __shared__ bf16 shared[2 * stage];
  Index block = blockIdx.x;
  const Index i0 = (tiles - 1 - block % tiles) * rows;  // the last see the most keys: they start first
  block /= tiles;
  const Index b = block / a.H, h = block % a.H, first_row = i0 + warp() * stacks * 16;

  const int keys = static_cast<int>(a.seen(std::min<Index>(i0 + rows, a.Lq) - 1));
  const Strip<bf16> k = a.keys(b, h, 0), v = a.values(b, h, 0);
  const auto fetch_tile = [&](int j) {
    bf16* to = shared + j / columns % 2 * stage;
    fetch<columns, width>(to, k.from(j));
    fetch<columns, width>(to + stage / 2, v.from(j));
  };
  fetch<rows, width>(shared + stage, a.queries(b, h, i0));
  fetch_tile(0);
  tensor_cores::wait_for_copies();
  __syncthreads();
  Left<width, stacks> query;
  read<width, stacks>(query, shared + stage);

  Sums<width, stacks> out = {};
  float most[stacks][2], total[stacks][2] = {};
  for (auto& m : most) m[0] = m[1] = none;
  const float to_log2 = a.scale * log2_e;
  for (int j0 = 0; j0 < keys; j0 += columns) {
    tensor_cores::wait_for_copies();
    __syncthreads();  // the tile is there, and nobody reads the one before any more
    if (j0 + columns < keys) fetch_tile(j0 + columns);
    bf16* tile = shared + j0 / columns % 2 * stage;
    Sums<columns, stacks> w = {};
    add_products<columns, width, stacks>(w, query, tile);
#pragma unroll
    for (int s = 0; s < stacks; ++s)
#pragma unroll
      for (int n = 0; n < columns / 8; ++n)
#pragma unroll
        for (float& x : w[s][n]) x *= to_log2;
    if (!((plain || !a.keep.data) && j0 + columns <= a.seen(i0)))
      hide<false, plain, columns, stacks>(a, b, h, first_row, j0, w);
#pragma unroll
    for (int s = 0; s < stacks; ++s)
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        float m = most[s][r];
#pragma unroll
        for (int n = 0; n < columns / 8; ++n)
#pragma unroll
          for (int c = 0; c < 2; ++c) m = w[s][n][2 * r + c] > m ? w[s][n][2 * r + c] : m;
        m = across_four(m, [](float p, float q) { return p > q ? p : q; });
        // Where nothing was kept the largest is -inf: 0 in its place makes every 2^(x - largest) 0, not NaN.
        const float base = m == none ? 0.f : m, shrink = tensor_cores::exp2(most[s][r] - base);
        most[s][r] = m;
        float sum = 0;
#pragma unroll
        for (int n = 0; n < columns / 8; ++n)
#pragma unroll
          for (int c = 0; c < 2; ++c) {
            float& x = w[s][n][2 * r + c];
            x = tensor_cores::exp2(x - base);
            sum += x;
          }
        total[s][r] = total[s][r] * shrink + sum;  // of this lane's columns
        if constexpr (!plain)
          if (a.least != 0) {
            const Index i = first_row + s * 16 + row_of(2 * r),
                        first = ((b * a.H + h) * a.Lq + i) * a.Lk + j0;
            std::uint32_t bits[columns / 32 + 1];
            dropped<columns>(a, first, bits);
#pragma unroll
            for (int n = 0; n < columns / 8; ++n)
#pragma unroll
              for (int c = 0; c < 2; ++c)
                w[s][n][2 * r + c] *= a.factor(bits[n / 4] >> (n % 4 * 8 + column_of(c)));
          }
#pragma unroll
        for (int n = 0; n < width / 8; ++n) {
          out[s][n][2 * r] *= shrink;
          out[s][n][2 * r + 1] *= shrink;
        }
      }
    add_weighted<columns, width, stacks>(out, w, tile + stage / 2);
  }
  float scale[stacks][2];
#pragma unroll
  for (int s = 0; s < stacks; ++s)
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float sum = across_four(total[s][r], [](float p, float q) { return p + q; });
      scale[s][r] = sum == 0 ? 0.f : 1 / sum;
      const Index i = first_row + s * 16 + row_of(2 * r);
      if (lane() % 4 == 0 && i < a.Lq)
        log_sums[(b * a.H + h) * a.Lq + i] = sum == 0 ? -none : most[s][r] * ln_2 + math::log(sum);
    }
  write<width, stacks>(y, b, h, i0, a.Lq, a.E, out, scale, false);
}

}  // namespace

void forward_bf16(Cuda d, const Attention& given, const View& y, const View& log_sums) {
  const Problem<bf16> a(given);
  with_kernel(a, [&](auto width, auto plain) {
    constexpr int rows = rows_for(width);
    const Index tiles = (a.Lq + rows - 1) / rows, blocks = a.B * a.H * tiles;
    if (blocks > 0)
      launch(d, forward<width, plain>, dim3(static_cast<unsigned>(blocks)), bf16_threads, 0, a,
             Heads<bf16>(y), log_sums.as<float>(), tiles);
  });
}

}  // namespace fovea::attention
