#include <limits>

#include "fovea/kernels/loops.h"
#include "fovea/kernels/rows.h"
#include "fovea/kernels/scalar_math.h"
#include "fovea/kernels/softmax.h"

// A softmax over the last axis works on rows, vectorised along them. Over another axis it works on strips of
// neighbouring columns, vectorised across them, so that memory is still read in order.

namespace fovea {
namespace {

constexpr Index strip = 64;

// x as (outer, n, inner), the softmax running over n.
struct Extent {
  Index outer = 1, n = 1, inner = 1;
  Extent(const Shape& shape, int axis) : n(shape[axis]) {
    for (int d = 0; d < axis; ++d) outer *= shape[d];
    for (int d = axis + 1; d < shape.rank(); ++d) inner *= shape[d];
  }
  // Calls row(offset) for each row, or columns(offset, width) for each strip.
  template <class R, class C>
  void each(R&& row, C&& columns) const {
    if (n == 0 || inner == 0) return;
    if (inner == 1) {
      parallel_for(outer, n, costly_grain, [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) row(r * n);
      });
      return;
    }
    const Index strips = (inner + strip - 1) / strip;
    parallel_for(outer * strips, n * std::min(strip, inner), costly_grain, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const Index from = i % strips * strip;
        columns(i / strips * n * inner + from, std::min(strip, inner - from));
      }
    });
  }
};

// y = keep ? x : -inf
template <class T>
void select(const View& x, const View& keep, T* y) {
  const Rows<2> rows(x.shape, {&x.strides, &keep.strides});
  parallel_for(rows.count, rows.length, cheap_grain, [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const Index at = rows.offset(0, r), step = rows.step[1];
      const T* from = x.as<const T>() + at;
      const auto* k = keep.as<const std::uint8_t>() + rows.offset(1, r);
      for (Index i = 0; i < rows.length; ++i)
        y[at + i] = k[i * step] != 0 ? from[i] : -std::numeric_limits<T>::infinity();
    }
  });
}

// Where nothing is kept the largest is -inf: 0 in its place makes every e^(x - largest) 0, not NaN.
template <class T>
T finite(T largest) {
  return largest == -std::numeric_limits<T>::infinity() ? T(0) : largest;
}
template <class T>
T inverse(T sum) {
  return sum == 0 ? T(0) : 1 / sum;
}

template <class T>
void forward_row(bool log, const T* x, T* y, Index n) {
  const T m = finite(max_of<T>(n, [&](Index k) { return x[k]; }));
  if (log) {
    const T s = math::log(sum_of<T>(n, [&](Index k) { return math::exp(x[k] - m); }));
    store(y, n, Into::set, [&](Index k) { return x[k] - m - s; });
  } else {
    const T s = inverse(sum_of<T>(n, [&](Index k) { return y[k] = math::exp(x[k] - m); }));
    store(y, n, Into::set, [&](Index k) { return y[k] * s; });
  }
}

template <class T>
void forward_columns(bool log, const T* x, T* y, Index n, Index inner, Index width) {
  T m[strip], s[strip];
  store(m, width, Into::set, [&](Index c) { return x[c]; });
  for (Index i = 1; i < n; ++i)
    store(m, width, Into::set, [&](Index c) { return x[i * inner + c] > m[c] ? x[i * inner + c] : m[c]; });
  store(m, width, Into::set, [&](Index c) { return finite(m[c]); });
  for (Index i = 0; i < n; ++i)
    store(s, width, i == 0 ? Into::set : Into::add, [&](Index c) {
      const T e = math::exp(x[i * inner + c] - m[c]);
      if (!log) y[i * inner + c] = e;
      return e;
    });
  store(s, width, Into::set, [&](Index c) { return log ? math::log(s[c]) : inverse(s[c]); });
  for (Index i = 0; i < n; ++i)
    store(y + i * inner, width, Into::set,
          [&](Index c) { return log ? x[i * inner + c] - m[c] - s[c] : y[i * inner + c] * s[c]; });
}

template <class T>
void backward_row(bool log, const T* y, const T* dy, T* dx, Index n, Into into) {
  if (log) {
    const T s = sum_of<T>(n, [&](Index k) { return dy[k]; });
    store(dx, n, into, [&](Index k) { return dy[k] - math::exp(y[k]) * s; });
  } else {
    const T s = sum_of<T>(n, [&](Index k) { return y[k] * dy[k]; });
    store(dx, n, into, [&](Index k) { return y[k] * (dy[k] - s); });
  }
}

template <class T>
void backward_columns(bool log, const T* y, const T* dy, T* dx, Index n, Index inner, Index width,
                      Into into) {
  T s[strip];
  for (Index i = 0; i < n; ++i)
    store(s, width, i == 0 ? Into::set : Into::add,
          [&](Index c) { return log ? dy[i * inner + c] : y[i * inner + c] * dy[i * inner + c]; });
  for (Index i = 0; i < n; ++i)
    store(dx + i * inner, width, into, [&](Index c) {
      const Index k = i * inner + c;
      return log ? dy[k] - math::exp(y[k]) * s[c] : y[k] * (dy[k] - s[c]);
    });
}

}  // namespace

void softmax_forward(Cpu, bool log, const View& x, const View& keep, int axis, const View& y) {
  const Extent e(x.shape, axis);
  visit_float(log ? "log_softmax" : "softmax", x.dtype, [&]<class T>() {
    T* to = y.as<T>();
    const T* from = x.as<const T>();
    if (keep) {
      select(x, keep, to);
      from = to;
    }
    e.each([&](Index at) { forward_row(log, from + at, to + at, e.n); },
           [&](Index at, Index width) { forward_columns(log, from + at, to + at, e.n, e.inner, width); });
  });
}

void softmax_backward(Cpu, bool log, const View& y, const View& dy, int axis, const Target& dx) {
  const Extent e(y.shape, axis);
  visit_float("softmax", y.dtype, [&]<class T>() {
    const T *py = y.as<const T>(), *pdy = dy.as<const T>();
    T* pdx = dx.as<T>();
    e.each([&](Index at) { backward_row(log, py + at, pdy + at, pdx + at, e.n, dx.into); },
           [&](Index at, Index width) {
             backward_columns(log, py + at, pdy + at, pdx + at, e.n, e.inner, width, dx.into);
           });
  });
}

}  // namespace fovea
