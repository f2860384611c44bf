#include <cstring>

#include "fovea/kernels/cosine_similarity.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

constexpr auto op = "cosine_similarity";

// Calls f with the step as a constant where it is 1, so that the loops vectorise.
template <class F>
void with_steps(Index a, Index b, F&& f) {
  using One = std::integral_constant<Index, 1>;
  if (a == 1 && b == 1)
    f(One(), One());
  else
    f(a, b);
}

template <class T>
struct Products {
  T uv, uu, vv;
};
template <class T>
Products<T> products(const T* u, Index us, const T* v, Index vs, Index n) {
  Products<T> p;
  with_steps(us, vs, [&](auto a, auto b) {
    p.uv = sum_of<T>(n, [&](Index k) { return u[k * a] * v[k * b]; });
    p.uu = sum_of<T>(n, [&](Index k) { return u[k * a] * u[k * a]; });
    p.vv = sum_of<T>(n, [&](Index k) { return v[k * b] * v[k * b]; });
  });
  return p;
}

// The dimensions outside the last one, as places of every operand.
struct Places {
  Shape shape;
  explicit Places(const Shape& full) : shape(full.erased(full.rank() - 1)) {}
  Index offset(const Shape& strides, Index place) const {
    Index at = 0;
    for (int d = shape.rank(); d-- > 0;) {
      at += place % shape[d] * strides[d];
      place /= shape[d];
    }
    return at;
  }
};

// Sums start at zero. The elements of a target are contiguous, whatever its strides in the full shape.
template <class T>
void clear(const Target& t) {
  if (!t || t.into == Into::add) return;
  Index n = 1;
  for (int d = 0; d < t.dx.shape.rank(); ++d)
    if (t.dx.strides[d] != 0) n *= t.dx.shape[d];
  std::memset(t.dx.data, 0, static_cast<std::size_t>(n) * sizeof(T));
}

}  // namespace

void cosine_similarity_forward(Cpu, const View& u, const View& v, double eps, const View& k) {
  const Places places(u.shape);
  const Index n = u.shape.back(), us = u.strides.back(), vs = v.strides.back();
  visit_float(op, u.dtype, [&]<class T>() {
    const T e = static_cast<T>(eps * eps);
    parallel_for(k.numel(), 2 * n, cheap_grain, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const auto p = products(u.as<const T>() + places.offset(u.strides, i), us,
                                v.as<const T>() + places.offset(v.strides, i), vs, n);
        k.as<T>()[i] = p.uv / (math::sqrt(p.uu + e) * math::sqrt(p.vv + e));
      }
    });
  });
}

void cosine_similarity_backward(Cpu, const View& u, const View& v, double eps, const View& dk,
                                const Target& du, const Target& dv) {
  const Places places(u.shape);
  const Index n = u.shape.back(), us = u.strides.back(), vs = v.strides.back();
  visit_float(op, u.dtype, [&]<class T>() {
    clear<T>(du);
    clear<T>(dv);
    const T e = static_cast<T>(eps * eps);
    const auto run = [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const T* x = u.as<const T>() + places.offset(u.strides, i);
        const T* y = v.as<const T>() + places.offset(v.strides, i);
        const auto p = products(x, us, y, vs, n);
        // With a = sqrt(u.u + eps^2) and b likewise: du = dk (v / (a b) - K u / a^2).
        const T aa = p.uu + e, bb = p.vv + e, g = dk.as<const T>()[i] / (math::sqrt(aa) * math::sqrt(bb));
        const T gu = g * p.uv / aa, gv = g * p.uv / bb;
        const auto add = [&](const Target& t, const T* own, Index own_step, T c, const T* other,
                             Index other_step) {
          if (!t) return;
          T* to = t.as<T>() + places.offset(t.dx.strides, i);
          const Index step = t.dx.strides.back();
          with_steps(own_step, other_step, [&](auto a, auto b) {
            if (step == 1)
              store(to, n, Into::add, [&](Index k) { return g * other[k * b] - c * own[k * a]; });
            else
              for (Index k = 0; k < n; ++k) to[k * step] += g * other[k * b] - c * own[k * a];
          });
        };
        add(du, x, us, gu, y, vs);
        add(dv, y, vs, gv, x, us);
      }
    };
    // Threads take the outermost dimension where no gradient is summed over it.
    const Index outer = places.shape.rank() > 0 ? places.shape[0] : 1,
                inner = outer > 0 ? dk.numel() / outer : 0;
    const auto apart = [](const Target& t) { return !t || t.dx.strides[0] != 0; };
    if (places.shape.rank() > 0 && apart(du) && apart(dv) && du.dx.data != dv.dx.data)
      parallel_for(outer, inner * 3 * n, cheap_grain, [&](Index b, Index e) { run(b * inner, e * inner); });
    else
      run(0, dk.numel());
  });
}

}  // namespace fovea
