#ifndef FOVEA_KERNELS_CUDA_PRODUCT_H_
#define FOVEA_KERNELS_CUDA_PRODUCT_H_

#include "fovea/kernels/cuda_launch.h"

/// Products of matrices that need not be in memory: their elements are read by functions.

namespace fovea {

/// How a product is cut: a block makes rows x columns sums, `depth` terms at a time out of shared memory; a
/// thread of it makes high x wide of them, in registers.
template <int rows_, int columns_, int depth_>
struct ProductTile {
  static constexpr int rows = rows_, columns = columns_, depth = depth_;
  static constexpr int high = rows >= 128 ? 8 : 4, wide = rows * columns / block_threads / high;
  static constexpr int across = columns / wide;  // threads side by side
  static_assert(rows * columns == block_threads * high * wide);
};

namespace detail {

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

template <class Tile, class P>
__global__ void __launch_bounds__(block_threads) multiply(P product) {
  using T = typename P::Element;
  constexpr int high = Tile::high, wide = Tile::wide, across = Tile::across, depth = Tile::depth;
  constexpr int gap = 16 / sizeof(T);  // between rows: else threads along k would all write to one bank
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
  T sums[high][wide] = {};
  const int x = static_cast<int>(threadIdx.x) % across, y = static_cast<int>(threadIdx.x) / across * high;
  if (part.begin < part.end) load(part.begin);
  for (int from = part.begin; from < part.end; from += depth) {
#pragma unroll
    for (int n = 0; n < A::count; ++n)
      if (A::here(n)) a[A::k(n)][A::at(n)] = next_a[n];
#pragma unroll
    for (int n = 0; n < B::count; ++n) b[B::k(n)][B::at(n)] = next_b[n];
    __syncthreads();
    if (from + depth < part.end) load(from + depth);
#pragma unroll
    for (int k = 0; k < depth; ++k) {
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
    __syncthreads();
  }
#pragma unroll
  for (int c = 0; c < wide; ++c) {
    const int column = part.first_column + x + c * across;
    if (column >= part.columns) continue;
    const auto to = part.output(column);
#pragma unroll
    for (int r = 0; r < high; ++r)
      if (first_row + y + r < part.rows) part.put(to, first_row + y + r, sums[r][c]);
  }
}

}  // namespace detail

/// Starts sum(i,j) = sum over k a(i,k) b(k,j), where `blocks` column tiles of all parts are numbered through.
/// part(block, columns of a tile) of `product` says what a block does:
///   rows, columns, first_column; begin, end   which sums; over which k
///   term(k), column(j), output(j)             what is worked out once for several elements; any k, any j
///   a(i, term), b(term, column)               the elements; 0 where i, k or j is beyond the end
///   put(output, i, sum)
/// and columns_along_k whether b's elements of neighbouring k lie side by side, or of neighbouring j.
template <class Tile, class P>
void start_product(Cuda d, int rows, Index blocks, const P& product) {
  const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>((rows - 1) / Tile::rows + 1));
  launch(d, detail::multiply<Tile, P>, grid, block_threads, 0, product);
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_CUDA_PRODUCT_H_
