#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "fovea/kernels/parallel.h"
#include "fovea/kernels/pointwise.h"
#include "fovea/kernels/rows.h"

// Every loop over elements is over contiguous pieces, so that each formula is compiled (and vectorised) once
// per dtype and direction. An operand with another stride, 0 for a broadcast one, is first gathered into a
// small buffer.

namespace fovea {
namespace {

using pointwise::HasPartials;
using pointwise::HasSlope;
using pointwise::Scalars;

constexpr Index piece = 256;

template <class F, class X, class T, std::size_t... I>
inline X evaluate(const X* x, Scalars<T> s, std::index_sequence<I...>) {
  if constexpr (F::scalars > 0)
    return F::f(x[I]..., s);
  else
    return F::f(x[I]...);
}

template <class F>
using Arity = std::make_index_sequence<F::arity>;

template <class F, class T>
void forward_piece(const std::array<const T*, F::arity>& x, Scalars<T> s, T* y, Index n) {
#pragma GCC ivdep
  for (Index k = 0; k < n; ++k) {
    T in[F::arity];
    for (std::size_t i = 0; i < F::arity; ++i) in[i] = x[i][k];
    y[k] = evaluate<F>(in, s, Arity<F>());
  }
}

// g_i = dy * df/dx_i
template <class F, class T>
void backward_piece(const std::array<const T*, F::arity>& x, Scalars<T> s, const T* y, const T* dy,
                    const std::array<T*, F::arity>& g, Index n) {
#pragma GCC ivdep
  for (Index k = 0; k < n; ++k) {
    if constexpr (HasSlope<F>) {
      g[0][k] = dy[k] * F::slope(y[k]);
    } else if constexpr (HasPartials<F>) {
      T in[F::arity], d[F::arity];
      for (std::size_t i = 0; i < F::arity; ++i) in[i] = x[i][k];
      F::partials(in, d);
      for (std::size_t i = 0; i < F::arity; ++i) g[i][k] = dy[k] * d[i];
    } else {
      using D = math::Dual<T, F::arity>;
      const D v = [&]<std::size_t... I>(std::index_sequence<I...>) {
        const D in[] = {D::variable(x[I][k], static_cast<int>(I))...};
        return evaluate<F>(in, s, Arity<F>());
      }
      (Arity<F>());
      for (std::size_t i = 0; i < F::arity; ++i) g[i][k] = dy[k] * v.d[i];
    }
  }
}

template <class T>
const T* gathered(const T* x, Index step, Index n, T* buffer) {
  if (step == 1) return x;
  if (step == 0)
    std::fill(buffer, buffer + n, *x);
  else
    for (Index k = 0; k < n; ++k) buffer[k] = x[k * step];
  return buffer;
}

template <class T>
void put(const T* g, T* dx, Index step, Index n, bool add) {
  if (step == 0) {
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (Index k = 0; k < n; ++k) sum += g[k];
    *dx += sum;
  } else if (add) {
    for (Index k = 0; k < n; ++k) dx[k * step] += g[k];
  } else {
    for (Index k = 0; k < n; ++k) dx[k * step] = g[k];
  }
}

template <class F, class T>
void forward(std::span<const View> x, Scalars<double> scalars, const View& y) {
  constexpr std::size_t N = F::arity;
  const Scalars<T> s{static_cast<T>(scalars.a), static_cast<T>(scalars.b)};
  std::array<const Shape*, N + 1> strides;
  strides[N] = &y.strides;
  for (std::size_t i = 0; i < N; ++i) strides[i] = &x[i].strides;
  bool packed = true;
  for (const View& v : x) packed &= v.packed;
  const Rows<N + 1> rows = packed ? Rows<N + 1>(y.numel()) : Rows<N + 1>(y.shape, strides);

  const auto part = [&](Index row, Index begin, Index end) {
    std::array<const T*, N> in;
    bool direct = true;
    for (std::size_t i = 0; i < N; ++i) {
      in[i] = x[i].as<const T>() + rows.offset(i, row) + begin * rows.step[i];
      direct &= rows.step[i] == 1;
    }
    T* out = y.as<T>() + rows.offset(N, row) + begin;
    if (direct) return forward_piece<F>(in, s, out, end - begin);
    T buffer[N][piece];
    for (Index k = begin; k < end; k += piece) {
      const Index n = std::min(piece, end - k);
      std::array<const T*, N> ready;
      for (std::size_t i = 0; i < N; ++i)
        ready[i] = gathered(in[i] + (k - begin) * rows.step[i], rows.step[i], n, buffer[i]);
      forward_piece<F>(ready, s, out + (k - begin), n);
    }
  };
  if (rows.count == 1)
    parallel_for(rows.length, 1, cheap_grain, [&](Index begin, Index end) { part(0, begin, end); });
  else
    parallel_for(rows.count, rows.length, cheap_grain, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) part(r, 0, rows.length);
    });
}

template <class F, class T>
void backward(std::span<const View> x, Scalars<double> scalars, const View& y, const View& dy,
              std::span<const Target> dx) {
  constexpr std::size_t N = F::arity;
  constexpr bool reads_x = !HasSlope<F>;
  const Scalars<T> s{static_cast<T>(scalars.a), static_cast<T>(scalars.b)};
  // Operands: the inputs, their gradients, then dy (and y, which lies the same way).
  std::array<const Shape*, 2 * N + 1> strides;
  strides[2 * N] = &dy.strides;
  // Where several elements meet in one place of a gradient they are summed: from zero, on one thread.
  std::array<Index, N> places{};
  bool sums = false;
  for (std::size_t i = 0; i < N; ++i) {
    strides[i] = reads_x ? &x[i].strides : &dy.strides;
    strides[N + i] = dx[i].dx ? &dx[i].dx.strides : &dy.strides;
    places[i] = 1;
    for (int d = 0; d < dy.shape.rank(); ++d)
      if ((*strides[N + i])[d] != 0) places[i] *= dy.shape[d];
    sums |= places[i] != dy.numel();
  }
  if (sums)
    for (std::size_t i = 0; i < N; ++i)
      if (dx[i].dx && dx[i].into == Into::set)
        std::memset(dx[i].dx.data, 0, static_cast<std::size_t>(places[i]) * sizeof(T));
  const Rows<2 * N + 1> rows(dy.shape, strides);

  const auto part = [&](Index row, Index begin, Index end) {
    T buffer[2 * N][piece];
    const Index at = rows.offset(2 * N, row);
    for (Index k = begin; k < end; k += piece) {
      const Index n = std::min(piece, end - k);
      std::array<const T*, N> in{};
      std::array<T*, N> g, to{};
      for (std::size_t i = 0; i < N; ++i) {
        if constexpr (reads_x)
          in[i] = gathered(x[i].as<const T>() + rows.offset(i, row) + k * rows.step[i], rows.step[i], n,
                           buffer[i]);
        g[i] = buffer[N + i];
        if (!dx[i].dx) continue;
        to[i] = dx[i].dx.as<T>() + rows.offset(N + i, row) + k * rows.step[N + i];
        if (rows.step[N + i] == 1 && dx[i].into == Into::set && !sums) g[i] = to[i];
      }
      backward_piece<F>(in, s, y.as<const T>() + (y.data ? at + k : 0), dy.as<const T>() + at + k, g, n);
      for (std::size_t i = 0; i < N; ++i)
        if (dx[i].dx && g[i] != to[i]) put(g[i], to[i], rows.step[N + i], n, sums || dx[i].into == Into::add);
    }
  };
  if (sums) {
    for (Index r = 0; r < rows.count; ++r) part(r, 0, rows.length);
  } else if (rows.count == 1) {
    parallel_for(rows.length, 1, cheap_grain, [&](Index begin, Index end) { part(0, begin, end); });
  } else {
    parallel_for(rows.count, rows.length, cheap_grain, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) part(r, 0, rows.length);
    });
  }
}

// The list as tables of functions, indexed by a struct's place in it.
template <class T, class... F>
constexpr auto forward_table(std::tuple<F...>*) {
  return std::array{&forward<F, T>...};
}
template <class T, class... F>
constexpr auto backward_table(std::tuple<F...>*) {
  return std::array{&backward<F, T>...};
}

}  // namespace

void pointwise_forward(Cpu, int id, std::span<const View> x, Scalars<double> scalars, const View& y) {
  visit_float("pointwise", y.dtype, [&]<class T>() {
    static constexpr auto table = forward_table<T>(static_cast<pointwise::List*>(nullptr));
    table[static_cast<std::size_t>(id)](x, scalars, y);
  });
}

void pointwise_backward(Cpu, int id, std::span<const View> x, Scalars<double> scalars, const View& y,
                        const View& dy, std::span<const Target> dx) {
  visit_float("pointwise", dy.dtype, [&]<class T>() {
    static constexpr auto table = backward_table<T>(static_cast<pointwise::List*>(nullptr));
    table[static_cast<std::size_t>(id)](x, scalars, y, dy, dx);
  });
}

}  // namespace fovea
