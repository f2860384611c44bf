#ifndef FOVEA_KERNELS_ATTENTION_TILE_H_
#define FOVEA_KERNELS_ATTENTION_TILE_H_

#include <algorithm>
#include <cmath>
#include <limits>

#include "fovea/kernels/attention.h"
#include "fovea/kernels/block.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/scalar_math.h"

/// What attention's forward and backward are both made of: tiles of the score matrix, a few queries by a few
/// keys, and the operands made ready for them.

namespace fovea {

/// Keys of a tile. Together with the queries' it keeps a tile of scores, one of keys and one of values in the
/// two nearest caches.
inline constexpr Index key_tile = 128;

/// Hands out pieces of scratch, each on a 64-byte boundary. From null it only counts.
template <class T>
class Room {
 public:
  explicit Room(T* start) : start_(start) {}
  T* take(Index n) {
    T* piece = start_ ? start_ + used_ : nullptr;
    used_ += (n + 15) / 16 * 16;
    return piece;
  }
  Index used() const { return used_; }

 private:
  T* start_;
  Index used_ = 0;
};

/// The first number and the step of the tiles that one thread works on.
struct Every {
  Index first, step;
};

/// Sizes, and how far a query sees.
template <class T>
struct AttentionSizes {
  Index B, H, G, Lq, Lk, D, E;
  Index heads;           // that share keys and values
  Index wide_d, wide_e;  // D and E in whole vectors
  Index q_tile, q_tiles, k_tiles;
  Index ld;  // from row to row of a tile
  bool causal;

  explicit AttentionSizes(const Attention& a)
      : B(a.q.shape[0]),
        H(a.q.shape[1]),
        G(a.k.shape[1]),
        Lq(a.q.shape[2]),
        Lk(a.k.shape[2]),
        D(a.q.shape[3]),
        E(a.v.shape[3]),
        heads(G > 0 ? H / G : 0),
        wide_d(whole_vectors<T>(D)),
        wide_e(whole_vectors<T>(E)),
        // Small tiles waste less of what lies above the diagonal.
        q_tile(a.causal ? 24 : 48),
        q_tiles((Lq + q_tile - 1) / q_tile),
        k_tiles((Lk + key_tile - 1) / key_tile),
        ld(whole_vectors<T>(std::min(Lk, key_tile))),
        causal(a.causal) {}

  // The number of keys, from 0 on, that query i sees.
  Index seen(Index i) const { return causal ? std::clamp<Index>(i + 1 + Lk - Lq, 0, Lk) : Lk; }
  // How many parts to cut the tiles of a head into, so that every thread has work.
  Index parts(Index tiles) const {
    const Index pairs = B * G, threads = threads_here();
    return pairs == 0 || pairs >= threads ? 1 : std::min(tiles, (threads + pairs - 1) / pairs);
  }
};

template <class T>
T* place(const View& v, Index b, Index h, Index i) {
  return v.as<T>() + b * v.strides[0] + h * v.strides[1] + i * v.strides[2];
}

/// Rows i to i + n of a head of x, readable up to whole vectors: as they lie, or copied to `room`.
template <class T>
Wide<const T> wide_rows(const View& x, Index b, Index h, Index i, Index n, bool copied, T* room) {
  const Index width = x.shape[3], wide = whole_vectors<T>(width);
  const T* from = place<const T>(x, b, h, i);
  if (!copied) return {from, x.strides[2]};
  for (Index r = 0; r < n; ++r) {
    std::copy_n(from + r * x.strides[2], width, room + r * wide);
    std::fill(room + r * wide + width, room + (r + 1) * wide, T(0));
  }
  return {room, wide};
}

/// Rows j to j + n of a head of x as columns, times `scale`: [D, ld], up to whole vectors.
template <class T>
void turn_rows(const View& x, Index b, Index h, Index j, Index n, T scale, T* to, Index ld) {
  const Index D = x.shape[3], width = whole_vectors<T>(n);
  transpose(place<const T>(x, b, h, j), x.strides[2], to, ld, n, D, false, true);
  if (scale == 1) return;
  for (Index d = 0; d < D; ++d, to += ld) store(to, width, Into::set, [=](Index c) { return to[c] * scale; });
}

/// Where nothing was kept the largest score is -inf: 0 in its place makes every e^(x - largest) 0, not NaN.
template <class T>
T finite_or_0(T largest) {
  return largest == -std::numeric_limits<T>::infinity() ? T(0) : largest;
}

/// One tile of scores: queries i to i + m and keys j to j + n of head h.
template <class T>
struct ScoreTile {
  const Attention& a;
  const AttentionSizes<T>& size;
  Index b, h, i, m, j, n;

  // From scale q k^T: the biased and masked scores.
  void finish(T* s) const {
    constexpr T none = -std::numeric_limits<T>::infinity();
    for (Index r = 0; r < m; ++r) {
      T* row = s + r * size.ld;
      if (a.bias)
        with_step<T>(a.bias, i + r, [&](const T* bias, auto step) {
          store(row, n, Into::set, [=](Index c) { return row[c] + bias[c * step]; });
        });
      if (a.keep)
        with_step<std::uint8_t>(a.keep, i + r, [&](const std::uint8_t* keep, auto step) {
          store(row, n, Into::set, [=](Index c) { return keep[c * step] != 0 ? row[c] : none; });
        });
      const Index seen = std::clamp<Index>(size.seen(i + r) - j, 0, n);
      std::fill(row + seen, row + n, none);
    }
  }

  // Adds a tile to what is stretched over the scores.
  void add_to(const View& sum, const T* s) const {
    for (Index r = 0; r < m; ++r) {
      T* to = place<T>(sum, b, h, i + r) + j * sum.strides[3];
      for (Index c = 0; c < n; ++c) to[c * sum.strides[3]] += s[r * size.ld + c];
    }
  }

  // The factors of dropout, 0 or 1 / (1 - p): row r's start at [r * returned distance].
  Index factors(T* to) const {
    const auto least = static_cast<std::uint32_t>(std::ceil(a.dropout * 0x1p24));
    const T scale = static_cast<T>(1 / (1 - a.dropout));
    const auto draw = [&](Index from, Index count, T* out) {
      for_words<1>(a.random, from, from + count, [=](Index at, Index k, const std::uint32_t* words) {
        store(out + (at - from), k, Into::set, [=](Index w) {
          return static_cast<T>(static_cast<std::int32_t>(1 ^ (((words[w] >> 8) - least) >> 31))) * scale;
        });
      });
    };
    const Index first = ((b * size.H + h) * size.Lq + i) * size.Lk;
    if (size.Lk <= key_tile) {  // the rows lie side by side
      draw(first, m * size.Lk, to);
      return size.Lk;
    }
    for (Index r = 0; r < m; ++r) draw(first + r * size.Lk + j, n, to + r * size.ld);
    return size.ld;
  }

 private:
  // Calls f(row of v from key j on, step) with a constant for a step of 1, which the compiler vectorises.
  template <class U, class F>
  void with_step(const View& v, Index row, F&& f) const {
    const U* from = place<const U>(v, b, h, row) + j * v.strides[3];
    if (v.strides[3] == 1)
      f(from, std::integral_constant<Index, 1>());
    else
      f(from, v.strides[3]);
  }
};

}  // namespace fovea

#endif  // FOVEA_KERNELS_ATTENTION_TILE_H_
