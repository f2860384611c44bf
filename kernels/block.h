#ifndef FOVEA_KERNELS_BLOCK_H_
#define FOVEA_KERNELS_BLOCK_H_

#include "fovea/core/into.h"
#include "fovea/kernels/tile.h"

/// Products of small matrices that lie in the nearest caches: no packing, no call into a library. What
/// attention is made of, where OpenBLAS would spend as long on preparing a product as on making it.

namespace fovea {

/// n rounded up to whole vectors of T.
template <class T>
constexpr Index whole_vectors(Index n) {
  return (n + Lanes<T>::count - 1) / Lanes<T>::count * Lanes<T>::count;
}

/// The left operand: element (r, n) is data[r * row + n * term], so a transposed one costs nothing.
template <class T>
struct Left {
  const T* data;
  Index row, term;
};

/// A matrix whose rows are read (or written) up to whole vectors.
template <class T>
struct Wide {
  T* data;
  Index ld;
};

namespace detail {

template <class T, int R, int V>
void block_tile(Left<T> a, Index terms, Wide<const T> b, Wide<T> c, Into into) {
  using L = Lanes<T>;
  typename L::Vector sum[R][V] = {};
  if (into == Into::add)
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < V; ++v) sum[r][v] = L::at(c.data + r * c.ld + v * L::count);
  const T* at = a.data;
  const T* from = b.data;
  for (Index n = 0; n < terms; ++n, at += a.term, from += b.ld) {
    typename L::Vector x[V];
    for (int v = 0; v < V; ++v) x[v] = L::at(from + v * L::count);
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < V; ++v) sum[r][v] += at[r * a.row] * x[v];
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) L::at(c.data + r * c.ld + v * L::count) = sum[r][v];
}

// What is left below whole tiles is one tile of so many rows: two smaller ones would wait for their sums.
template <class T, int R, int V>
void last_block_tile(Index rows, Left<T> a, Index terms, Wide<const T> b, Wide<T> c, Into into) {
  if constexpr (R > 0) {
    if (rows == R) return block_tile<T, R, V>(a, terms, b, c, into);
    last_block_tile<T, R - 1, V>(rows, a, terms, b, c, into);
  }
}

template <class T, int R, int V>
void block_rows(Index rows, Left<T> a, Index terms, Wide<const T> b, Wide<T> c, Into into) {
  for (; rows >= R; rows -= R, a.data += R * a.row, c.data += R * c.ld)
    block_tile<T, R, V>(a, terms, b, c, into);
  last_block_tile<T, R - 1, V>(rows, a, terms, b, c, into);
}

}  // namespace detail

/// C [m,n] = A [m,k] B [k,n], or += with Into::add. Columns from n up to whole vectors are read of B, and
/// written of C with numbers of no meaning.
template <class T>
void block_product(Index m, Index n, Index k, Left<T> a, Wide<const T> b, Wide<T> c, Into into) {
  constexpr Index lanes = Lanes<T>::count;
  const auto panel = [&]<int V>() {
    constexpr int R = V == 1 ? 8 : 12 / V;  // as many sums as registers hold
    detail::block_rows<T, R, V>(m, a, k, b, c, into);
    b.data += V * lanes;
    c.data += V * lanes;
  };
  Index vectors = (n + lanes - 1) / lanes;
  if (vectors % 3 == 0)
    for (; vectors > 0; vectors -= 3) panel.template operator()<3>();
  for (; vectors > 1; vectors -= 2) panel.template operator()<2>();
  if (vectors > 0) panel.template operator()<1>();
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_BLOCK_H_
