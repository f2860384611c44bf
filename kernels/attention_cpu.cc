#include "fovea/kernels/attention.h"
#include "fovea/kernels/attention_tile.h"
#include "fovea/kernels/scratch.h"

// The matrix of scores is never stored (Rabe and Staats 2021; Dao et al. 2022). Forward goes over a row of
// tiles with the largest score and the sum of exponentials so far, and scales what it has down when a larger
// one comes. Backward makes every tile again: with a row's log-sum-exp saved, its weights are exp(s - lse).
//
// A thread takes a batch entry and a group of heads with common keys. Sums are made in an order that does not
// depend on the number of threads.

namespace fovea {
namespace {

constexpr auto op = "scaled_dot_product_attention";
constexpr Index parallel_flop = 1000000;
// Fewer queries than this: turning the keys into columns would cost more than the scores.
constexpr Index few_queries = 4;

template <class T>
struct Forward {
  const Attention& a;
  const View &y, &log_sums;
  AttentionSizes<T> size;
  T scale = static_cast<T>(a.scale);
  bool few = size.Lq < few_queries;
  bool copied = size.E % Lanes<T>::count != 0 || size.q_tiles * size.heads > 1;

  struct Buffers {
    T *keys, *values, *scores, *sums, *factors, *most, *total;
    Buffers(const Forward& f, Room<T>& room)
        : keys(room.take(f.few ? 0 : f.size.k_tiles * f.size.ld * f.size.D)),
          values(room.take(f.copied ? f.size.Lk * f.size.wide_e : 0)),
          scores(room.take(f.size.q_tile * f.size.ld)),
          sums(room.take(f.size.q_tile * f.size.wide_e)),
          factors(room.take(f.a.dropout > 0 ? f.size.q_tile * f.size.ld : 0)),
          most(room.take(f.size.q_tile)),
          total(room.take(f.size.q_tile)) {}
  };

  // Some tiles of queries of all heads of group g.
  void group(Index b, Index g, Every tiles, T* scratch) const {
    Room<T> room(scratch);
    const Buffers buffers(*this, room);
    const Wide<const T> values = wide_rows(a.v, b, g, 0, size.Lk, copied, buffers.values);
    if (!few)
      for (Index t = 0; t < size.k_tiles; ++t)
        turn_rows(a.k, b, g, t * key_tile, std::min(key_tile, size.Lk - t * key_tile), scale,
                  buffers.keys + t * size.ld * size.D, size.ld);
    for (Index h = g * size.heads; h < (g + 1) * size.heads; ++h)
      for (Index t = tiles.first; t < size.q_tiles; t += tiles.step) {
        const Index i = t * size.q_tile;
        queries(b, h, i, std::min(size.q_tile, size.Lq - i), values, buffers);
      }
  }

  void queries(Index b, Index h, Index i, Index m, Wide<const T> values, const Buffers& buf) const {
    std::fill_n(buf.most, m, -std::numeric_limits<T>::infinity());
    std::fill_n(buf.total, m, T(0));
    std::fill_n(buf.sums, m * size.wide_e, T(0));
    const Index keys = size.seen(i + m - 1);
    for (Index j = 0; j < keys; j += key_tile) {
      const ScoreTile<T> tile{a, size, b, h, i, m, j, std::min(key_tile, keys - j)};
      products(tile, buf);
      tile.finish(buf.scores);
      const Index ld = a.dropout > 0 ? tile.factors(buf.factors) : 0;
      for (Index r = 0; r < m; ++r)
        weights(buf.scores + r * size.ld, tile.n, a.dropout > 0 ? buf.factors + r * ld : nullptr, buf.most[r],
                buf.total[r], buf.sums + r * size.wide_e);
      block_product<T>(m, size.E, tile.n, {buf.scores, size.ld, 1}, {values.data + j * values.ld, values.ld},
                       {buf.sums, size.wide_e}, Into::add);
    }
    T* log_sum = log_sums.as<T>() + (b * size.H + h) * size.Lq + i;
    for (Index r = 0; r < m; ++r) {
      const T total = buf.total[r], scale = total == 0 ? T(0) : 1 / total;
      const T* sums = buf.sums + r * size.wide_e;
      log_sum[r] = total == 0 ? std::numeric_limits<T>::infinity() : buf.most[r] + math::log(total);
      store(place<T>(y, b, h, i + r), size.E, Into::set, [=](Index e) { return sums[e] * scale; });
    }
  }

  void products(const ScoreTile<T>& t, const Buffers& buf) const {
    const T* q = place<const T>(a.q, t.b, t.h, t.i);
    if (!few) {
      block_product<T>(t.m, t.n, size.D, {q, a.q.strides[2], 1},
                       {buf.keys + t.j / key_tile * size.ld * size.D, size.ld}, {buf.scores, size.ld},
                       Into::set);
      return;
    }
    const T* k = place<const T>(a.k, t.b, t.h / size.heads, t.j);
    for (Index r = 0; r < t.m; ++r)
      for (Index c = 0; c < t.n; ++c)
        buf.scores[r * size.ld + c] = scale * dot(q + r * a.q.strides[2], k + c * a.k.strides[2], size.D);
  }

  // Scores become weights relative to the largest so far; what was summed before is made to fit.
  void weights(T* row, Index n, const T* factors, T& most, T& total, T* sums) const {
    const T before = most;
    most = std::max(before, max_of<T>(n, [=](Index c) { return row[c]; }));
    const T base = finite_or_0(most), shrink = math::exp(before - base);
    const T sum = sum_of<T>(n, [=](Index c) { return row[c] = math::exp(row[c] - base); });
    total = total * shrink + sum;
    if (shrink != 1) store(sums, size.wide_e, Into::set, [=](Index e) { return sums[e] * shrink; });
    if (factors) store(row, n, Into::set, [=](Index c) { return row[c] * factors[c]; });
  }
};

template <class T>
struct BackwardPass {
  const Attention& a;
  const View &y, &log_sums, &dy;
  const Target &dq, &dk, &dv;
  const View& dbias;
  AttentionSizes<T> size;
  bool uneven = size.D % Lanes<T>::count != 0 || size.E % Lanes<T>::count != 0;
  bool copied_keys = uneven || size.q_tiles * size.heads > 1, copied_queries = uneven || size.k_tiles > 1;

  struct Buffers {
    T *keys, *key_columns, *value_columns, *queries, *dy, *scores, *dscores, *factors, *dq, *dk, *dv, *delta;
    Buffers(const BackwardPass& p, Room<T>& room) {
      const auto& s = p.size;
      keys = room.take(p.copied_keys ? s.Lk * s.wide_d : 0);
      key_columns = room.take(s.k_tiles * s.ld * s.D);
      value_columns = room.take(s.k_tiles * s.ld * s.E);
      queries = room.take(p.copied_queries ? s.q_tile * s.wide_d : 0);
      dy = room.take(p.copied_queries ? s.q_tile * s.wide_e : 0);
      scores = room.take(s.q_tile * s.ld);
      dscores = room.take(s.q_tile * s.ld);
      factors = room.take(p.a.dropout > 0 ? s.q_tile * s.ld : 0);
      dq = room.take(s.q_tile * s.wide_d);
      dk = room.take(s.Lk * s.wide_d);
      dv = room.take(s.Lk * s.wide_e);
      delta = room.take(s.q_tile);
    }
  };

  // Some tiles of queries and some of keys, of all heads of group g; either the gradient of the queries or
  // those of keys and values, or all of them.
  void group(Index b, Index g, Every q_tiles, Every k_tiles, bool to_queries, bool to_keys,
             T* scratch) const {
    Room<T> room(scratch);
    const Buffers buf(*this, room);
    const Wide<const T> keys = wide_rows(a.k, b, g, 0, size.Lk, copied_keys, buf.keys);
    for (Index t = k_tiles.first; t < size.k_tiles; t += k_tiles.step) {
      const Index j = t * key_tile, n = std::min(key_tile, size.Lk - j);
      turn_rows(a.k, b, g, j, n, static_cast<T>(a.scale), buf.key_columns + t * size.ld * size.D, size.ld);
      turn_rows(a.v, b, g, j, n, T(1), buf.value_columns + t * size.ld * size.E, size.ld);
    }
    if (to_keys) {
      std::fill_n(buf.dk, size.Lk * size.wide_d, T(0));
      std::fill_n(buf.dv, size.Lk * size.wide_e, T(0));
    }
    for (Index h = g * size.heads; h < (g + 1) * size.heads; ++h)
      for (Index t = q_tiles.first; t < size.q_tiles; t += q_tiles.step) {
        const Index i = t * size.q_tile, m = std::min(size.q_tile, size.Lq - i), seen = size.seen(i + m - 1);
        const Wide<const T> q = wide_rows(a.q, b, h, i, m, copied_queries, buf.queries);
        const Wide<const T> up = wide_rows(dy, b, h, i, m, copied_queries, buf.dy);
        for (Index r = 0; r < m; ++r)
          buf.delta[r] = dot(place<const T>(dy, b, h, i + r), place<const T>(y, b, h, i + r), size.E);
        std::fill_n(buf.dq, m * size.wide_d, T(0));
        for (Index j = k_tiles.first * key_tile; j < seen; j += k_tiles.step * key_tile)
          one({a, size, b, h, i, m, j, std::min(key_tile, seen - j)}, q, up,
              {keys.data + j * keys.ld, keys.ld}, to_queries, to_keys, buf);
        if (to_queries) write(dq, b, h, i, m, buf.dq);
      }
    if (!to_keys) return;
    for (Index t = k_tiles.first; t < size.k_tiles; t += k_tiles.step) {
      const Index j = t * key_tile, n = std::min(key_tile, size.Lk - j);
      if (dk) write(dk, b, g, j, n, buf.dk + j * size.wide_d);
      if (dv) write(dv, b, g, j, n, buf.dv + j * size.wide_e);
    }
  }

  void one(const ScoreTile<T>& t, Wide<const T> q, Wide<const T> up, Wide<const T> keys, bool to_queries,
           bool to_keys, const Buffers& buf) const {
    const Index m = t.m, n = t.n, D = size.D, E = size.E;
    block_product<T>(m, n, D, {q.data, q.ld, 1}, {buf.key_columns + t.j / key_tile * size.ld * D, size.ld},
                     {buf.scores, size.ld}, Into::set);
    t.finish(buf.scores);
    block_product<T>(m, n, E, {up.data, up.ld, 1},
                     {buf.value_columns + t.j / key_tile * size.ld * E, size.ld}, {buf.dscores, size.ld},
                     Into::set);
    const Index ld = a.dropout > 0 ? t.factors(buf.factors) : 0;
    const T* log_sum = log_sums.as<const T>() + (t.b * size.H + t.h) * size.Lq + t.i;
    for (Index r = 0; r < m; ++r)
      scores(buf.scores + r * size.ld, buf.dscores + r * size.ld, n,
             a.dropout > 0 ? buf.factors + r * ld : nullptr, log_sum[r], buf.delta[r]);
    if (dbias) t.add_to(dbias, buf.dscores);
    if (to_keys && dv)  // dv += weights^T dy
      block_product<T>(n, E, m, {buf.scores, 1, size.ld}, up, {buf.dv + t.j * size.wide_e, size.wide_e},
                       Into::add);
    if (to_keys && dk)
      block_product<T>(n, D, m, {buf.dscores, 1, size.ld}, q, {buf.dk + t.j * size.wide_d, size.wide_d},
                       Into::add);
    if (to_queries)
      block_product<T>(m, D, n, {buf.dscores, size.ld, 1}, keys, {buf.dq, size.wide_d}, Into::add);
  }

  // A row of scores s becomes weights w = f exp(s - lse), one of dw = dy v^T the gradient of the scores: with
  // f the factors of dropout, ds = exp(s - lse) (f dw - sum w dw), and the sum is dy . y.
  void scores(T* s, T* ds, Index n, const T* f, T log_sum, T delta) const {
    store(s, n, Into::set, [=](Index c) { return math::exp(s[c] - log_sum); });
    if (!f) {
      store(ds, n, Into::set, [=](Index c) { return s[c] * (ds[c] - delta); });
    } else {
      store(ds, n, Into::set, [=](Index c) { return s[c] * (f[c] * ds[c] - delta); });
      store(s, n, Into::set, [=](Index c) { return s[c] * f[c]; });
    }
  }

  // The gradients of queries and keys are those of the unscaled products; the values have no scale.
  void write(const Target& to, Index b, Index h, Index i, Index n, const T* from) const {
    const T scale = &to == &dv ? T(1) : static_cast<T>(a.scale);
    const Index width = to.dx.shape[3], wide = whole_vectors<T>(width);
    for (Index r = 0; r < n; ++r, from += wide)
      store(place<T>(to.dx, b, h, i + r), width, to.into, [=](Index d) { return from[d] * scale; });
  }
};

// Flops of one batch entry's group of heads.
template <class T>
Index cost(const AttentionSizes<T>& s) {
  return s.heads * s.Lq * s.Lk * (2 * s.D + 2 * s.E + 20);
}

}  // namespace

void attention_forward(Cpu, const Attention& a, const View& y, const View& log_sums) {
  visit_float(op, a.q.dtype, [&]<class T>() {
    const Forward<T> f{a, y, log_sums, AttentionSizes<T>(a)};
    const auto& s = f.size;
    Room<T> room(nullptr);
    typename Forward<T>::Buffers(f, room);
    const Index parts = s.parts(s.q_tiles);
    parallel_with_scratch<T>(s.B * s.G * parts, cost(s) / std::max<Index>(parts, 1), parallel_flop,
                             room.used(), [&](Index item, T* scratch) {
                               const Index p = item / parts;
                               f.group(p / s.G, p % s.G, {item % parts, parts}, scratch);
                             });
  });
}

void attention_backward(Cpu, const Attention& a, const View& y, const View& log_sums, const View& dy,
                        const Target& dq, const Target& dk, const Target& dv, const View& dbias) {
  visit_float(op, a.q.dtype, [&]<class T>() {
    const BackwardPass<T> p{a, y, log_sums, dy, dq, dk, dv, dbias, AttentionSizes<T>(a)};
    const auto& s = p.size;
    Room<T> room(nullptr);
    typename BackwardPass<T>::Buffers(p, room);
    const bool to_queries = static_cast<bool>(dq), to_keys = dk || dv;
    const auto run = [&](Index parts, auto&& f) {
      parallel_with_scratch<T>(
          s.B * s.G * parts, 5 * cost(s) / (2 * std::max<Index>(parts, 1)), parallel_flop, room.used(),
          [&](Index item, T* scratch) {
            f(item / parts / s.G, item / parts % s.G, Every{item % parts, parts}, scratch);
          });
    };
    if (dbias && (dbias.strides[0] == 0 || dbias.strides[1] == 0)) {
      // Batch entries or heads add to one sum: a single thread, in order.
      const Scratch<T> scratch(room.used());
      for (Index g = 0; g < s.B * s.G; ++g)
        p.group(g / s.G, g % s.G, {0, 1}, {0, 1}, to_queries, to_keys, scratch.data());
      return;
    }
    const Index parts = dbias ? 1 : std::min(s.parts(s.q_tiles), s.parts(s.k_tiles));
    if (parts <= 1) {
      run(1, [&](Index b, Index g, Every, T* room) {
        p.group(b, g, {0, 1}, {0, 1}, to_queries, to_keys, room);
      });
      return;
    }
    // Fewer groups of heads than threads: by queries for theirs, then by keys for theirs.
    if (to_queries)
      run(parts, [&](Index b, Index g, Every part, T* room) {
        p.group(b, g, part, {0, 1}, true, false, room);
      });
    if (to_keys)
      run(parts, [&](Index b, Index g, Every part, T* room) {
        p.group(b, g, {0, 1}, part, false, true, room);
      });
  });
}

}  // namespace fovea
