#include "fovea/kernels/cuda_places.h"
#include "fovea/kernels/cuda_team.h"
#include "fovea/kernels/scalar_math.h"
#include "fovea/kernels/softmax.h"

// A team takes one row. Over another axis than the last a thread takes a column, and its neighbours those
// beside it: a team of one.

namespace fovea {
namespace {

// x as (outer, n, inner), the softmax running over n: row r starts at at(r), its elements `inner` apart.
struct Extent {
  Index outer = 1, n = 1, inner = 1;
  Extent(const Shape& shape, int axis) : n(shape[axis]) {
    for (int d = 0; d < axis; ++d) outer *= shape[d];
    for (int d = axis + 1; d < shape.rank(); ++d) inner *= shape[d];
  }
  constexpr Index at(Index r) const { return r / inner * n * inner + r % inner; }
  template <class F>
  void each(Cuda d, F f) const {
    if (n == 0) return;
    if (inner == 1)
      each_row(d, outer, n, f);
    else
      each_column(d, outer * inner, f);
  }
};

template <class T>
void select(Cuda d, const View& x, const View& keep, T* y) {
  const T* from = x.as<const T>();
  const auto* k = keep.as<const std::uint8_t>();
  each_place(d, Rows<2>(x.shape, {&x.strides, &keep.strides}), [=] __device__(const Places<2>& at) {
    y[at[0]] = k[at[1]] != 0 ? from[at[0]] : -std::numeric_limits<T>::infinity();
  });
}

template <class T>
void forward(Cuda d, bool log, const T* from, T* to, Extent e) {
  e.each(d, [=] __device__(const auto& team, Index r) {
    const Index at = e.at(r);
    const T* x = from + at;
    T* y = to + at;
    const T most = team.template max<T>(e.n, [&](Index k) { return x[k * e.inner]; });
    // Where nothing is kept the largest is -inf: 0 in its place makes every e^(x - m) 0, not NaN.
    const T m = most == -std::numeric_limits<T>::infinity() ? T(0) : most;
    const T sum = team.template sum<T>(e.n, [&](Index k) { return math::exp(x[k * e.inner] - m); });
    if (log) {
      const T s = math::log(sum);
      team.each(e.n, [&](Index k) { y[k * e.inner] = x[k * e.inner] - m - s; });
    } else {
      const T s = sum == 0 ? T(0) : 1 / sum;
      team.each(e.n, [&](Index k) { y[k * e.inner] = math::exp(x[k * e.inner] - m) * s; });
    }
  });
}

template <class T>
void backward(Cuda d, bool log, const T* y_all, const T* dy_all, T* dx_all, bool add, Extent e) {
  e.each(d, [=] __device__(const auto& team, Index r) {
    const Index at = e.at(r);
    const T *y = y_all + at, *dy = dy_all + at;
    T* dx = dx_all + at;
    const T s = team.template sum<T>(e.n, [&](Index k) {
      const Index i = k * e.inner;
      return log ? dy[i] : y[i] * dy[i];
    });
    team.each(e.n, [&](Index k) {
      const Index i = k * e.inner;
      put(dx + i, log ? dy[i] - math::exp(y[i]) * s : y[i] * (dy[i] - s), add);
    });
  });
}

}  // namespace

void softmax_forward(Cuda d, bool log, const View& x, const View& keep, int axis, const View& y) {
  visit_float(log ? "log_softmax" : "softmax", x.dtype, [&]<class T>() {
    if (keep) select(d, x, keep, y.as<T>());
    forward(d, log, keep ? y.as<const T>() : x.as<const T>(), y.as<T>(), Extent(x.shape, axis));
  });
}

void softmax_backward(Cuda d, bool log, const View& y, const View& dy, int axis, const Target& dx) {
  visit_float("softmax", y.dtype, [&]<class T>() {
    backward(d, log, y.as<const T>(), dy.as<const T>(), dx.as<T>(), dx.into == Into::add,
             Extent(y.shape, axis));
  });
}

}  // namespace fovea
