#include "fovea/kernels/cosine_similarity.h"
#include "fovea/kernels/cuda_team.h"
#include "fovea/kernels/rows.h"
#include "fovea/kernels/scalar_math.h"

// Backward first makes the few numbers that a pair of vectors has in common. A gradient's element is then
// the sum over the pairs that its vector is in, made by one thread or team in order.

namespace fovea {
namespace {

constexpr auto op = "cosine_similarity";

template <class T>
struct Vectors {
  const T* data;
  Index step;
};
template <class T>
Vectors<T> vectors(const View& v) {
  return {v.as<const T>(), v.strides.back()};
}

Shape outer(const Shape& s) { return s.erased(s.rank() - 1); }

// Where place i of a loop is in operand n.
template <int N>
__device__ Index place(const Rows<N>& rows, std::size_t n, Index i) {
  return rows.offset(n, i / rows.length) + i % rows.length * rows.step[n];
}

// Calls f(team, i) for every pair of vectors of n elements: neighbouring threads take elements that lie side
// by side in memory, of one vector or of neighbouring ones.
template <class F>
void each_pair(Cuda d, const View& u, const View& v, Index pairs, F f) {
  if (u.strides.back() == 1 || v.strides.back() == 1)
    each_row(d, pairs, u.shape.back(), f);
  else
    each_column(d, pairs, f);
}

template <class T>
struct Products {
  T uv = 0, uu, vv;  // u.v, u.u + eps^2, v.v + eps^2
};
template <class T, class Team>
__device__ Products<T> products(const Team& team, const T* u, Index us, const T* v, Index vs, Index n, T e) {
  T uv = 0, uu = 0, vv = 0;
  team.each(n, [&](Index k) {
    const T x = u[k * us], y = v[k * vs];
    uv += x * y;
    uu += x * x;
    vv += y * y;
  });
  const auto add = [](T a, T b) { return a + b; };
  return {team.all(uv, add), team.all(uu, add) + e, team.all(vv, add) + e};
}

template <class T>
void forward(Cuda d, const View& u_view, const View& v_view, T e, T* y) {
  const Vectors<T> u = vectors<T>(u_view), v = vectors<T>(v_view);
  const Index n = u_view.shape.back();
  const Shape pairs = outer(u_view.shape), us = outer(u_view.strides), vs = outer(v_view.strides);
  const Rows<2> rows(pairs, {&us, &vs});
  each_pair(d, u_view, v_view, pairs.numel(), [=] __device__(const auto& team, Index i) {
    const auto p =
        products(team, u.data + place(rows, 0, i), u.step, v.data + place(rows, 1, i), v.step, n, e);
    if (team.lane == 0) y[i] = p.uv / (math::sqrt(p.uu) * math::sqrt(p.vv));
  });
}

// What a pair gives: with a = sqrt(u.u + eps^2) and b likewise, du = dk (v / (a b) - K u / a^2).
template <class T>
struct Slope {
  T other, u, v;  // times the other vector, less these times the vector itself
};

template <class T>
void slopes(Cuda d, const View& u_view, const View& v_view, T e, const T* dk, Slope<T>* to) {
  const Vectors<T> u = vectors<T>(u_view), v = vectors<T>(v_view);
  const Index n = u_view.shape.back();
  const Shape pairs = outer(u_view.shape), us = outer(u_view.strides), vs = outer(v_view.strides);
  const Rows<2> rows(pairs, {&us, &vs});
  each_pair(d, u_view, v_view, pairs.numel(), [=] __device__(const auto& team, Index i) {
    const auto p =
        products(team, u.data + place(rows, 0, i), u.step, v.data + place(rows, 1, i), v.step, n, e);
    const T g = dk[i] / (math::sqrt(p.uu) * math::sqrt(p.vv));
    if (team.lane == 0) to[i] = {g, g * p.uv / p.uu, g * p.uv / p.vv};
  });
}

// The loop over those outer dimensions in which the pairs' contributions to a target meet, or over the
// others. Operands: the pairs, the vector itself, the other one, the target.
Rows<4> loop(const Target& t, const View& own, const View& other, bool meet) {
  const Shape all = outer(own.shape), pair_strides = row_major_strides(all);
  Shape shape, strides[4];
  for (int k = 0; k < all.rank(); ++k) {
    if ((t.dx.strides[k] == 0) != meet) continue;
    const Index step[] = {pair_strides[k], own.strides[k], other.strides[k], t.dx.strides[k]};
    for (int i = 0; i < 4; ++i) strides[i] = strides[i].inserted(strides[i].rank(), step[i]);
    shape = shape.inserted(shape.rank(), all[k]);
  }
  return Rows<4>(shape, {&strides[0], &strides[1], &strides[2], &strides[3]});
}

template <class T>
void gradient(Cuda d, const Target& t, const View& own_view, const View& other_view, const Slope<T>* slopes,
              T Slope<T>::*own_slope) {
  if (!t) return;
  const Rows<4> vectors_of = loop(t, own_view, other_view, false), sums = loop(t, own_view, other_view, true);
  const Vectors<T> own = vectors<T>(own_view), other = vectors<T>(other_view);
  const Index n = own_view.shape.back(), met = sums.count * sums.length, step = t.dx.strides.back();
  const bool add = t.into == Into::add;
  T* to = t.as<T>();
  const auto element = [=] __device__(const auto& team, Index task) {
    const Index i = task / n, k = task - i * n, pair = place(vectors_of, 0, i);
    const T x = own.data[place(vectors_of, 1, i) + k * own.step];
    const T* y = other.data + place(vectors_of, 2, i) + k * other.step;
    const T sum = team.template sum<T>(met, [&](Index m) {
      const Slope<T> s = slopes[pair + place(sums, 0, m)];
      return s.other * y[place(sums, 2, m)] - s.*own_slope * x;
    });
    if (team.lane == 0) put(to + place(vectors_of, 3, i) + k * step, sum, add);
  };
  const Index elements = vectors_of.count * vectors_of.length * n;
  if (met >= 32)
    each_row(d, elements, met, element);
  else
    each_column(d, elements, element);
}

}  // namespace

void cosine_similarity_forward(Cuda d, const View& u, const View& v, double eps, const View& k) {
  visit_float(op, u.dtype, [&]<class T>() { forward<T>(d, u, v, static_cast<T>(eps * eps), k.as<T>()); });
}

void cosine_similarity_backward(Cuda d, const View& u, const View& v, double eps, const View& dk,
                                const Target& du, const Target& dv) {
  visit_float(op, u.dtype, [&]<class T>() {
    const DeviceScratch<Slope<T>> room(d, dk.numel());
    slopes<T>(d, u, v, static_cast<T>(eps * eps), dk.as<const T>(), room.data());
    gradient<T>(d, du, u, v, room.data(), &Slope<T>::u);
    gradient<T>(d, dv, v, u, room.data(), &Slope<T>::v);
  });
}

}  // namespace fovea
