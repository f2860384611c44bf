#ifndef FOVEA_KERNELS_TILE_H_
#define FOVEA_KERNELS_TILE_H_

#include <algorithm>
#include <cstring>
#include <utility>

#include "fovea/core/shape.h"

/// Sums of products whose terms lie anywhere, kept in registers: what a convolution is made of. A vector is
/// 32 bytes, whatever the machine has: compilers split it where registers are shorter.

namespace fovea {

/// A vector of T. `at` reads or writes one whose elements start anywhere.
template <class T>
struct Lanes {
  static constexpr int count = 32 / sizeof(T);
  typedef T Vector __attribute__((vector_size(32)));
  typedef T Unaligned __attribute__((vector_size(32), aligned(alignof(T)), may_alias));

  static const Unaligned& at(const T* p) { return *reinterpret_cast<const Unaligned*>(p); }
  static Unaligned& at(T* p) { return *reinterpret_cast<Unaligned*>(p); }
};

/// The operands of `rows` x `lanes` sums of `terms` products each:
///   out[r][l] = start[l] + sum over n < terms of a[row[r] + a_term[n]] * b[b_term[n] + l]
/// Without `start` the sums go on from what `out` holds. `b` and `out` are whole vectors wide.
template <class T>
struct Sums {
  const T* a;
  const Index *row, *a_term;
  const T* b;
  const Index* b_term;
  Index terms;
  const T* start;
  T* out;
  Index out_ld;
};

namespace detail {

template <class T, int R, int V>
void sum_tile(const Sums<T>& s, Index first) {
  using L = Lanes<T>;
  typename L::Vector sum[R][V];
  const T* a[R];
  for (int r = 0; r < R; ++r) {
    a[r] = s.a + s.row[first + r];
    const T* from = s.start ? s.start : s.out + (first + r) * s.out_ld;
    for (int v = 0; v < V; ++v) sum[r][v] = L::at(from + v * L::count);
  }
  for (Index n = 0; n < s.terms; ++n) {
    const Index at = s.a_term[n];
    const T* from = s.b + s.b_term[n];
    typename L::Vector b[V];
    for (int v = 0; v < V; ++v) b[v] = L::at(from + v * L::count);
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < V; ++v) sum[r][v] += a[r][at] * b[v];
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) L::at(s.out + (first + r) * s.out_ld + v * L::count) = sum[r][v];
}

template <class T, int R, int V>
void sum_rows(const Sums<T>& s, Index first, Index rows) {
  for (; rows >= R; rows -= R, first += R) sum_tile<T, R, V>(s, first);
  if constexpr (R > 1)
    if (rows > 0) sum_rows<T, (R + 1) / 2, V>(s, first, rows);
}

// Lanes of two vectors side by side, chosen by number. (By reference: a vector that is returned is passed
// differently from machine to machine.)
template <int... lane, class V>
[[gnu::always_inline]] inline void shuffle(const V& x, const V& z, V& to) {
#if __has_builtin(__builtin_shufflevector)
  to = __builtin_shufflevector(x, z, lane...);
#else  // g++ 11
  using Places = decltype(x < z);
  to = __builtin_shuffle(x, z, Places{lane...});
#endif
}

// Of two rows of a block, exchanges the upper with the lower half of every 2 S lanes.
template <class T, int S, int... Lane>
void exchange(typename Lanes<T>::Vector& a, typename Lanes<T>::Vector& b,
              std::integer_sequence<int, Lane...>) {
  constexpr int N = sizeof...(Lane);
  typename Lanes<T>::Vector low, high;
  shuffle<(Lane & S ? N + Lane - S : Lane)...>(a, b, low);
  shuffle<(Lane & S ? N + Lane : Lane + S)...>(a, b, high);
  a = low;
  b = high;
}

template <class T, int S, int N>
[[gnu::always_inline]] inline void exchange_all(typename Lanes<T>::Vector (&block)[N]) {
#pragma GCC unroll 8
  for (int k = 0; k < N; ++k)
    if (!(k & S)) exchange<T, S>(block[k], block[k | S], std::make_integer_sequence<int, N>());
  if constexpr (2 * S < N) exchange_all<T, 2 * S>(block);
}

}  // namespace detail

/// Makes all sums of `rows` rows of V vectors. As many sums at a time as registers hold.
template <class T, int V>
void sums_of_products(const Sums<T>& s, Index rows) {
  constexpr int R = V == 1 ? 8 : 12 / V;
  detail::sum_rows<T, R, V>(s, 0, rows);
}

/// Calls f.template operator()<V>() with the number of vectors of T, 1 to 3, to lay side by side for so many
/// lanes: few of them left over, and enough sums at a time to hide how long one product takes.
template <class T, class F>
void with_vectors(Index lanes, F&& f) {
  const auto cost = [lanes](Index v) {
    return (lanes + v * Lanes<T>::count - 1) / (v * Lanes<T>::count) * v;
  };
  const Index one = cost(1) * 6 / 5, two = cost(2), three = cost(3);
  if (two <= one && two <= three) return f.template operator()<2>();
  if (three <= one) return f.template operator()<3>();
  f.template operator()<1>();
}

/// to[c][r] = from[r][c] for rows x columns elements. `wide_from`: rows of `from` can be read up to whole
/// vectors; `wide_to`: rows of `to` are padded with zeros up to whole vectors.
template <class T>
void transpose(const T* from, Index from_ld, T* to, Index to_ld, Index rows, Index columns, bool wide_from,
               bool wide_to) {
  constexpr int N = Lanes<T>::count;
  for (Index r = 0; r < rows; r += N) {
    const Index height = std::min<Index>(N, rows - r), stored = wide_to ? Index{N} : height;
    Index c = 0;
    for (; c + N <= columns || (wide_from && c < columns); c += N) {
      typename Lanes<T>::Vector block[N] = {};
      for (Index k = 0; k < height; ++k) block[k] = Lanes<T>::at(from + (r + k) * from_ld + c);
      detail::exchange_all<T, 1>(block);
      const Index width = std::min<Index>(N, columns - c);
      for (Index k = 0; k < width; ++k)
        if (stored == N)
          Lanes<T>::at(to + (c + k) * to_ld + r) = block[k];
        else
          std::memcpy(to + (c + k) * to_ld + r, &block[k], static_cast<std::size_t>(stored) * sizeof(T));
    }
    for (; c < columns; ++c)
      for (Index k = 0; k < stored; ++k)
        to[c * to_ld + r + k] = k < height ? from[(r + k) * from_ld + c] : T(0);
  }
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_TILE_H_
