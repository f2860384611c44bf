#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "fovea/kernels/parallel.h"
#include "fovea/kernels/pointwise.h"
#include "fovea/kernels/rows.h"

// Every loop over elements is over contiguous pieces, so that each formula is compiled (and vectorised) once
// per dtype and direction. An operand with another stride, 0 for a broadcast one, is first gathered into a
// small buffer. What walks over the pieces is compiled once per number of inputs and calls the formula.

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

// A formula for n elements: y from x.
template <class T>
using ForwardPiece = void (*)(const T* const* inputs, Scalars<T> s, T* y, Index n);
// The same for g_i = dy * df/dx_i.
template <class T>
using BackwardPiece = void (*)(const T* const* inputs, Scalars<T> s, const T* y, const T* dy,
                               T* const* gradients, Index n);

template <class F, class T>
void forward_piece(const T* const* inputs, Scalars<T> s, T* y, Index n) {
  std::array<const T*, F::arity> x;
  std::copy_n(inputs, F::arity, x.begin());
#pragma GCC ivdep
  for (Index k = 0; k < n; ++k) {
    T in[F::arity];
    for (std::size_t i = 0; i < F::arity; ++i) in[i] = x[i][k];
    y[k] = evaluate<F>(in, s, Arity<F>());
  }
}

template <class F, class T>
void backward_piece(const T* const* inputs, Scalars<T> s, const T* y, const T* dy, T* const* gradients,
                    Index n) {
  std::array<const T*, F::arity> x;
  std::array<T*, F::arity> g;
  std::copy_n(inputs, F::arity, x.begin());
  std::copy_n(gradients, F::arity, g.begin());
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

template <class T, std::size_t N>
void forward(ForwardPiece<T> formula, std::span<const View> x, Scalars<double> scalars, const View& y) {
  const Scalars<T> s{static_cast<T>(scalars.a), static_cast<T>(scalars.b)};
  std::array<const Shape*, N + 1> strides;
  strides[N] = &y.strides;
  std::array<const T*, N> all;
  bool packed = true;
  for (std::size_t i = 0; i < N; ++i) {
    strides[i] = &x[i].strides;
    all[i] = x[i].as<const T>();
    packed &= x[i].packed;
  }
  if (packed && y.numel() < cheap_grain) return formula(all.data(), s, y.as<T>(), y.numel());
  const Rows<N + 1> rows = packed ? Rows<N + 1>(y.numel()) : Rows<N + 1>(y.shape, strides);

  const auto part = [&](Index row, Index begin, Index end) {
    std::array<const T*, N> in;
    bool direct = true;
    for (std::size_t i = 0; i < N; ++i) {
      in[i] = all[i] + rows.offset(i, row) + begin * rows.step[i];
      direct &= rows.step[i] == 1;
    }
    T* out = y.as<T>() + rows.offset(N, row) + begin;
    if (direct) return formula(in.data(), s, out, end - begin);
    T buffer[N][piece];
    for (Index k = begin; k < end; k += piece) {
      const Index n = std::min(piece, end - k);
      std::array<const T*, N> ready;
      for (std::size_t i = 0; i < N; ++i)
        ready[i] = gathered(in[i] + (k - begin) * rows.step[i], rows.step[i], n, buffer[i]);
      formula(ready.data(), s, out + (k - begin), n);
    }
  };
  parallel_rows(rows, cheap_grain, part);
}

template <class T, std::size_t N>
void backward(BackwardPiece<T> formula, bool reads_x, std::span<const View> x, Scalars<double> scalars,
              const View& y, const View& dy, std::span<const Target> dx) {
  const Scalars<T> s{static_cast<T>(scalars.a), static_cast<T>(scalars.b)};
  std::array<const T*, N> all;
  std::array<T*, N> to_all;
  bool direct = dy.packed && dy.numel() < cheap_grain;
  for (std::size_t i = 0; i < N; ++i) {
    direct &= (x[i].packed || !reads_x) && dx[i].dx.packed && dx[i].into == Into::set;
    all[i] = x[i].as<const T>();
    to_all[i] = dx[i].dx.as<T>();
  }
  if (direct) return formula(all.data(), s, y.as<const T>(), dy.as<const T>(), to_all.data(), dy.numel());
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
        if (reads_x)
          in[i] = gathered(all[i] + rows.offset(i, row) + k * rows.step[i], rows.step[i], n, buffer[i]);
        g[i] = buffer[N + i];
        if (!dx[i].dx) continue;
        to[i] = to_all[i] + rows.offset(N + i, row) + k * rows.step[N + i];
        if (rows.step[N + i] == 1 && dx[i].into == Into::set && !sums) g[i] = to[i];
      }
      formula(in.data(), s, y.as<const T>() + (y.data ? at + k : 0), dy.as<const T>() + at + k, g.data(), n);
      for (std::size_t i = 0; i < N; ++i)
        if (dx[i].dx && g[i] != to[i]) put(g[i], to[i], rows.step[N + i], n, sums || dx[i].into == Into::add);
    }
  };
  if (sums) {
    for (Index r = 0; r < rows.count; ++r) part(r, 0, rows.length);
  } else {
    parallel_rows(rows, cheap_grain, part);
  }
}

// A struct of the list for one dtype: its formulas, and what walks over as many inputs.
template <class T>
struct Entry {
  ForwardPiece<T> formula;
  BackwardPiece<T> slopes;
  bool slopes_read_inputs;
  decltype(&forward<T, 1>) forward;
  decltype(&backward<T, 1>) backward;
};
template <class T, class... F>
constexpr auto table_of(std::tuple<F...>*) {
  return std::array{Entry<T>{&forward_piece<F, T>, &backward_piece<F, T>, !HasSlope<F>, &forward<T, F::arity>,
                             &backward<T, F::arity>}...};
}
template <class T>
const Entry<T>& entry(int id) {
  static constexpr auto table = table_of<T>(static_cast<pointwise::List*>(nullptr));
  return table[static_cast<std::size_t>(id)];
}

}  // namespace

void pointwise_forward(Cpu, int id, std::span<const View> x, Scalars<double> scalars, const View& y) {
  visit_float("pointwise", y.dtype, [&]<class T>() {
    const Entry<T>& e = entry<T>(id);
    e.forward(e.formula, x, scalars, y);
  });
}

void pointwise_backward(Cpu, int id, std::span<const View> x, Scalars<double> scalars, const View& y,
                        const View& dy, std::span<const Target> dx) {
  visit_float("pointwise", dy.dtype, [&]<class T>() {
    const Entry<T>& e = entry<T>(id);
    e.backward(e.slopes, e.slopes_read_inputs, x, scalars, y, dy, dx);
  });
}

}  // namespace fovea
