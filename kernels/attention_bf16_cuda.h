#ifndef FOVEA_KERNELS_ATTENTION_BF16_CUDA_H_
#define FOVEA_KERNELS_ATTENTION_BF16_CUDA_H_

#include "fovea/kernels/attention_cuda_tile.h"
#include "fovea/kernels/tensor_cores.h"

/// What attention's kernels for bf16 are made of. A warp keeps 16 rows (or `stacks` of 16) as left factors in
/// its registers and goes over tiles of `columns` rows of two other matrices, which the block fetches to
/// shared memory while it works on the tile before (Dao 2023, FlashAttention-2). The sums of one product have
/// the layout that the left factor of the next one wants, so that weights never leave the registers.

namespace fovea::attention {

using tensor_cores::lane;
using tensor_cores::Pair;

inline constexpr int warps = 4, bf16_threads = 32 * warps;
inline constexpr float log2_e = 1.44269504f;  // weights are made as powers of 2

/// Keys (or queries) of a tile, so that two tiles of two matrices take 32 KB.
constexpr int columns_for(int width) { return width <= 64 ? 64 : 32; }

template <int width, int stacks = 1>
using Left = Pair[stacks][width / 16][4];
template <int columns, int stacks = 1>
using Sums = float[stacks][columns / 8][4];

__device__ inline int warp() { return static_cast<int>(threadIdx.x) / 32; }
/// Of element n of a lane's sums: the row among 16 and the column among 8 (tensor_cores.h).
__device__ inline int row_of(int n) { return lane() / 4 + 8 * (n / 2); }
__device__ inline int column_of(int n) { return lane() % 4 * 2 + n % 2; }

/// Where piece p (8 elements) of a row lies in a tile: neighbouring rows' pieces in different banks.
template <int width>
__device__ bf16* place(bf16* tile, int row, int p) {
  return tile + row * width + (p ^ (row & 7)) * 8;
}

/// Starts to copy `rows` rows of a head, filled up with zeros to `width` and at the end.
template <int rows, int width>
__device__ void fetch(bf16* tile, const Strip<bf16>& x) {
  constexpr int pieces = width / 8;
#pragma unroll 1
  for (int e = static_cast<int>(threadIdx.x); e < rows * pieces; e += bf16_threads) {
    const int r = e / pieces, p = e % pieces;
    const bool there = r < x.rows && p * 8 < x.width;
    tensor_cores::copy<16>(place<width>(tile, r, p), there ? x.first + r * x.stride + p * 8 : x.first, there);
  }
}

/// This warp's rows of a tile as a left factor.
template <int width, int stacks>
__device__ void read(Left<width, stacks>& to, bf16* tile) {
#pragma unroll
  for (int s = 0; s < stacks; ++s)
#pragma unroll
    for (int k = 0; k < width / 16; ++k)
      tensor_cores::load<false>(
          to[s][k], place<width>(tile, (warp() * stacks + s) * 16 + lane() % 16, 2 * k + lane() / 16));
}

/// sums += x y^T, with the rows of y in a tile.
template <int columns, int width, int stacks>
__device__ void add_products(Sums<columns, stacks>& sums, const Left<width, stacks>& x, bf16* y) {
#pragma unroll
  for (int k = 0; k < width / 16; ++k)
#pragma unroll
    for (int n = 0; n < columns / 16; ++n) {
      Pair b[4];
      tensor_cores::load<false>(
          b, place<width>(y, n * 16 + lane() % 8 + lane() / 16 * 8, 2 * k + lane() / 8 % 2));
#pragma unroll
      for (int s = 0; s < stacks; ++s) {
        tensor_cores::multiply_add(sums[s][2 * n], x[s][k], b[0], b[1]);
        tensor_cores::multiply_add(sums[s][2 * n + 1], x[s][k], b[2], b[3]);
      }
    }
}

/// sums += weights x, with the rows of x in a tile. Weights are rounded to bf16.
template <int columns, int width, int stacks>
__device__ void add_weighted(Sums<width, stacks>& sums, const Sums<columns, stacks>& weights, bf16* x) {
#pragma unroll
  for (int k = 0; k < columns / 16; ++k) {
    Pair left[stacks][4];
#pragma unroll
    for (int s = 0; s < stacks; ++s)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        left[s][i] = tensor_cores::pair(weights[s][2 * k + i / 2][i % 2 * 2],
                                        weights[s][2 * k + i / 2][i % 2 * 2 + 1]);
#pragma unroll
    for (int n = 0; n < width / 16; ++n) {
      Pair b[4];
      tensor_cores::load<true>(b, place<width>(x, k * 16 + lane() % 16, 2 * n + lane() / 16));
#pragma unroll
      for (int s = 0; s < stacks; ++s) {
        tensor_cores::multiply_add(sums[s][2 * n], left[s], b[0], b[1]);
        tensor_cores::multiply_add(sums[s][2 * n + 1], left[s], b[2], b[3]);
      }
    }
  }
}

/// -inf for the scores of queries that do not attend to keys, rows from number `row` on and columns from
/// number `column` on. Rows are queries, or where it is turned keys. Plain: there is no mask.
template <bool turned, bool plain, int columns, int stacks>
__device__ void hide(const Problem<bf16>& a, Index b, Index h, Index row, Index column,
                     Sums<columns, stacks>& scores) {
#pragma unroll
  for (int s = 0; s < stacks; ++s)
#pragma unroll
    for (int n = 0; n < columns / 8; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const Index r = row + s * 16 + row_of(e), c = column + n * 8 + column_of(e);
        const Index i = turned ? c : r, j = turned ? r : c;
        if (plain ? j >= a.seen(i) : !a.attends(b, h, i, j))
          scores[s][n][e] = -std::numeric_limits<float>::infinity();
      }
}

/// Combines what the four lanes that hold a row have.
template <class T, class F>
__device__ T across_four(T x, F combine) {
  x = combine(x, __shfl_xor_sync(0xffffffffu, x, 1));
  return combine(x, __shfl_xor_sync(0xffffffffu, x, 2));
}

/// Two neighbouring elements of a row, the first at an even place.
__device__ inline void put_pair(bf16* to, float first, float second, bool add) {
#ifndef __CUDACC__
  emulation::require_aligned(to, sizeof(Pair));
#endif
  auto* pair = reinterpret_cast<Pair*>(to);
  if (add) {
    const Pair old = *pair;
    first += tensor_cores::first_of(old);
    second += tensor_cores::second_of(old);
  }
  *pair = tensor_cores::pair(first, second);
}

/// This warp's rows times `scale` to those of a head from row i on.
template <int width, int stacks>
__device__ void write(const Heads<bf16>& to, Index b, Index h, Index i, Index length, Index valid,
                      const Sums<width, stacks>& x, const float (&scale)[stacks][2], bool add) {
#pragma unroll
  for (int s = 0; s < stacks; ++s)
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const Index row = i + (warp() * stacks + s) * 16 + row_of(2 * r);
      if (row >= length) continue;
      bf16* out = to.at(b, h, row);
#pragma unroll
      for (int n = 0; n < width / 8; ++n) {
        const int e = n * 8 + column_of(0);
        if (e < valid) put_pair(out + e, x[s][n][2 * r] * scale[s][r], x[s][n][2 * r + 1] * scale[s][r], add);
      }
    }
}

/// Which of `count` weights in a row dropout takes, as bits, from the one that word `first` of the random
/// numbers decides. Neighbouring fours of lanes ask for the same ones, and each lane makes some blocks of
/// four words.
template <int count>
__device__ void dropped(const Problem<bf16>& a, Index first, std::uint32_t (&bits)[count / 32 + 1]) {
  const RandomState random = current(a.random);
  const std::uint64_t at = random.offset + static_cast<std::uint64_t>(first);
  const int before = static_cast<int>(at % 4), blocks = count / 4 + (before != 0);
  for (std::uint32_t& x : bits) x = 0;
#pragma unroll 1
  for (int n = lane() % 4; n < blocks; n += 4) {
    const auto words = philox_block(random.seed, random.stream, at / 4 + static_cast<std::uint64_t>(n));
    std::uint32_t four = 0;
    for (std::size_t i = 0; i < 4; ++i) four |= std::uint32_t{words[i] >> 8 < a.least} << i;
#pragma unroll
    for (int k = 0; k < count / 32 + 1; ++k) bits[k] |= n / 8 == k ? four << n % 8 * 4 : 0;
  }
#pragma unroll
  for (std::uint32_t& x : bits) x = across_four(x, [](std::uint32_t p, std::uint32_t q) { return p | q; });
#pragma unroll
  for (int k = 0; k < count / 32 + 1; ++k) {
    const std::uint64_t next = k < count / 32 ? bits[k + 1] : 0;
    bits[k] = static_cast<std::uint32_t>((next << 32 | bits[k]) >> before);
  }
}

/// f(std::integral_constant<int, width>, std::bool_constant<plain>): the width that kernels are made for, and
/// whether there is neither mask nor dropout.
template <class F>
void with_kernel(const Problem<bf16>& a, F f) {
  const auto sized = [&](auto width) {
    if (a.keep.data || a.least != 0)
      f(width, std::false_type());
    else
      f(width, std::true_type());
  };
  if (std::max(a.D, a.E) <= 64)
    sized(std::integral_constant<int, 64>());
  else
    sized(std::integral_constant<int, 128>());
}

}  // namespace fovea::attention

#endif  // FOVEA_KERNELS_ATTENTION_BF16_CUDA_H_
