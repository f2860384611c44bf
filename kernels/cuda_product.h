#ifndef FOVEA_KERNELS_CUDA_PRODUCT_H_
#define FOVEA_KERNELS_CUDA_PRODUCT_H_

#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/gemm.h"
#include "fovea/kernels/tensor_cores.h"

/// Products of matrices that need not be in memory: their elements are read by functions.

namespace fovea {

/// How a product is cut: a block makes rows x columns sums, `depth` terms at a time out of shared memory.
template <int rows_, int columns_, int depth_>
struct ProductTile {
  static constexpr int rows = rows_, columns = columns_, depth = depth_;
};

namespace detail {

/// A thread's sums, in registers: high x wide of the tile's, number (r, c) being that of row(r) and
/// column(c).
template <class Tile, class T>
struct FmaSums {
  static constexpr int high = Tile::rows >= 128 ? 8 : 4;
  static constexpr int wide = Tile::rows * Tile::columns / block_threads / high;
  static constexpr int across = Tile::columns / wide;  // threads side by side
  static_assert(Tile::rows * Tile::columns == block_threads * high * wide);
  // Between rows of shared memory, so that threads along k do not all write to one bank.
  static constexpr int gap = 16 / sizeof(T);

  T sums[high][wide] = {};

  __device__ static T take(T x) { return x; }
  __device__ static int row(int r) { return static_cast<int>(threadIdx.x) / across * high + r; }
  __device__ static int column(int c) { return static_cast<int>(threadIdx.x) % across + c * across; }
  __device__ T sum(int r, int c) const { return sums[r][c]; }

  __device__ void add(const T (*a)[Tile::rows + gap], const T (*b)[Tile::columns + gap]) {
    const int y = row(0), x = column(0);
#pragma unroll
    for (int k = 0; k < Tile::depth; ++k) {
      T left[high], right[wide];
#pragma unroll
      for (int r = 0; r < high; ++r) left[r] = a[k][y + r];
#pragma unroll
      for (int c = 0; c < wide; ++c) right[c] = b[k][x + c * across];
#pragma unroll
      for (int r = 0; r < high; ++r)
#pragma unroll
        for (int c = 0; c < wide; ++c) sums[r][c] += left[r] * right[c];
    }
  }
};

/// The same on tensor cores, factors rounded to TF32.
template <class Tile>
struct TensorCoreSums {
  static constexpr int down = Tile::rows < 64 ? Tile::rows / 16 : 4,
                       across = block_threads / 32 / down;  // warps
  static constexpr int tall = Tile::rows / down / 16,
                       broad = Tile::columns / across / 8;  // matrices of a warp
  static_assert(down * tall * 16 == Tile::rows && across * broad * 8 == Tile::columns &&
                Tile::depth % 8 == 0);
  static constexpr int high = 2 * tall, wide = 2 * broad;
  static constexpr int gap = 8;  // a warp's reads, of eight neighbours in four rows, meet all banks

  float sums[tall][broad][4] = {};

  __device__ static float take(float x) { return tensor_cores::take(x); }
  __device__ static int warp() { return static_cast<int>(threadIdx.x) / 32; }
  __device__ static int row(int r) {
    return warp() / across * tall * 16 + r / 2 * 16 + r % 2 * 8 + tensor_cores::lane() / 4;
  }
  __device__ static int column(int c) {
    return warp() % across * broad * 8 + c / 2 * 8 + c % 2 + tensor_cores::lane() % 4 * 2;
  }
  __device__ float sum(int r, int c) const { return sums[r / 2][c / 2][r % 2 * 2 + c % 2]; }

  __device__ void add(const float (*a)[Tile::rows + gap], const float (*b)[Tile::columns + gap]) {
    const int g = tensor_cores::lane() / 4, t = tensor_cores::lane() % 4;
    const int x = warp() % across * broad * 8 + g;
#pragma unroll
    for (int from = 0; from < Tile::depth; from += 8) {
      const int k = from + t;
      float left[tall][4];
#pragma unroll
      for (int i = 0; i < tall; ++i)
#pragma unroll
        for (int n = 0; n < 4; ++n) left[i][n] = a[k + n / 2 * 4][row(2 * i + n % 2)];
#pragma unroll
      for (int j = 0; j < broad; ++j) {
        const float b0 = b[k][x + 8 * j], b1 = b[k + 4][x + 8 * j];
#pragma unroll
        for (int i = 0; i < tall; ++i) tensor_cores::multiply_add(sums[i][j], left[i], b0, b1);
      }
    }
  }
};

// Which elements of [depth][extent] a thread loads: number n is (k(n), at(n)). Neighbouring threads have
// neighbouring k, or neighbours along the extent.
template <int depth, int extent, bool along_k>
struct Loads {
  static constexpr int inner = along_k ? depth : extent, outer = along_k ? extent : depth;
  static constexpr int apart = block_threads / inner;
  static_assert(block_threads % inner == 0);
  static constexpr int count = (outer + apart - 1) / apart;
  static constexpr bool exact = outer % apart == 0;

  __device__ static int fast() { return static_cast<int>(threadIdx.x) % inner; }
  __device__ static int slow(int n) { return static_cast<int>(threadIdx.x) / inner + n * apart; }
  __device__ static int k(int n) { return along_k ? fast() : slow(n); }
  __device__ static int at(int n) { return along_k ? slow(n) : fast(); }
  __device__ static bool here(int n) { return exact || slow(n) < outer; }
};

template <class Tile, class Sums, class P>
__global__ void __launch_bounds__(block_threads) multiply(P product) {
  using T = typename P::Element;
  constexpr int depth = Tile::depth, gap = Sums::gap;
  using A = Loads<depth, Tile::rows, true>;
  using B = Loads<depth, Tile::columns, P::columns_along_k>;
  alignas(16) __shared__ T a[depth][Tile::rows + gap];
  alignas(16) __shared__ T b[depth][Tile::columns + gap];

  const auto part = product.part(static_cast<int>(blockIdx.x), Tile::columns);
  const int first_row = static_cast<int>(blockIdx.y) * Tile::rows;
  if (part.first_column >= part.columns) return;
  decltype(part.column(0)) columns[B::count];
  for (int n = 0; n < B::count; ++n) columns[n] = part.column(part.first_column + B::at(n));

  // What comes next waits in registers, so that it is on its way while the sums are made.
  T next_a[A::count], next_b[B::count];
  const auto load = [&](int from) {
#pragma unroll
    for (int n = 0; n < A::count; ++n)
      next_a[n] = A::here(n) ? part.a(first_row + A::at(n), part.term(from + A::k(n))) : T(0);
#pragma unroll
    for (int n = 0; n < B::count; ++n) next_b[n] = part.b(part.term(from + B::k(n)), columns[n]);
  };
  Sums sums;
  if (part.begin < part.end) load(part.begin);
  for (int from = part.begin; from < part.end; from += depth) {
#pragma unroll
    for (int n = 0; n < A::count; ++n)
      if (A::here(n)) a[A::k(n)][A::at(n)] = Sums::take(next_a[n]);
#pragma unroll
    for (int n = 0; n < B::count; ++n) b[B::k(n)][B::at(n)] = Sums::take(next_b[n]);
    __syncthreads();
    if (from + depth < part.end) load(from + depth);
    sums.add(a, b);
    __syncthreads();
  }
#pragma unroll
  for (int c = 0; c < Sums::wide; ++c) {
    const int column = part.first_column + Sums::column(c);
    if (column >= part.columns) continue;
    const auto to = part.output(column);
#pragma unroll
    for (int r = 0; r < Sums::high; ++r) {
      const int row = first_row + Sums::row(r);
      if (row < part.rows) part.put(to, row, sums.sum(r, c));
    }
  }
}

}  // namespace detail

/// Starts sum(i,j) = sum over k a(i,k) b(k,j), where `blocks` column tiles of all parts are numbered through.
/// part(block, columns of a tile) of `product` says what a block does:
///   rows, columns, first_column; begin, end   which sums; over which k
///   term(k), column(j), output(j)             what is worked out once for several elements; any k, any j
///   a(i, term), b(term, column)               the elements; 0 where i, k or j is beyond the end
///   put(output, i, sum)
/// and columns_along_k whether b's elements of neighbouring k lie side by side, or of neighbouring j. Factors
/// of f32 are rounded for tensor cores only where allow_tf32() lets them, and not in tiles of fewer than 16
/// rows.
template <class Tile, class P>
void start_product(Cuda d, int rows, Index blocks, const P& product) {
  const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>((rows - 1) / Tile::rows + 1));
  using T = typename P::Element;
  if constexpr (std::is_same_v<T, float> && Tile::rows % 16 == 0)
    if (detail::tf32)
      return launch(d, detail::multiply<Tile, detail::TensorCoreSums<Tile>, P>, grid, block_threads, 0,
                    product);
  launch(d, detail::multiply<Tile, detail::FmaSums<Tile, T>, P>, grid, block_threads, 0, product);
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_CUDA_PRODUCT_H_
