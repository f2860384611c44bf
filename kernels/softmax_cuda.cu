#include "fovea/kernels/cuda_rows.h"
#include "fovea/kernels/scalar_math.h"
#include "fovea/kernels/softmax.h"

// A team takes one row, by packs. Over another axis than the last a thread takes a column, and its neighbours
// those beside it: a team of one.

namespace fovea {
namespace {

// x as (outer, n, inner), the softmax running over n: row r starts at at(r), its elements `inner` apart.
struct Extent {
  Index outer = 1, n = 1, inner = 1;
  Extent(const Shape& shape, int axis) : n(shape[axis]) {
    for (int d = 0; d < axis; ++d) outer *= shape[d];
    for (int d = axis + 1; d < shape.rank(); ++d) inner *= shape[d];
  }
  constexpr Index at(Index r) const { return inner == 1 ? r * n : r / inner * n * inner + r % inner; }
  // f<n, held>(): as by_packs().
  template <class T, class F>
  void by_packs(bool aligned, F f) const {
    fovea::by_packs<T>(n, aligned && inner == 1, f);
  }
  // Packs of several elements are those of rows.
  template <int pack, class F>
  void each(Cuda d, F f) const {
    if (n == 0) return;
    if constexpr (pack == 1)
      if (inner != 1) return each_column(d, outer * inner, f);
    each_row(d, outer, n, f);
  }
};

// Which elements take part.
struct Kept {
  const std::uint8_t* mask;
  Rows<1> rows{1};  // over the starts of rows
  Index step = 0;
  Kept(const View& keep, int axis) : mask(keep.as<const std::uint8_t>()) {
    if (!keep) return;
    const Shape strides = keep.strides.erased(axis);
    rows = Rows<1>(keep.shape.erased(axis), {&strides});
    step = keep.strides[axis];
  }
  __device__ const std::uint8_t* row(Index r) const {
    const Index outside = rows.count == 1 ? 0 : r / rows.length;
    return mask + rows.offset(0, outside) + (r - outside * rows.length) * rows.step[0];
  }
};

template <bool masked, int n, int held, class T>
void forward(Cuda d, bool log, const T* x_all, Kept kept, T* y_all, Extent e) {
  e.each<n>(d, [=] __device__(const auto& team, Index r) {
    const auto packs = packs_of<n, held>(team, e.n);
    const Index at = e.at(r), step = n > 1 ? 1 : e.inner;
    const std::uint8_t* mask = masked ? kept.row(r) : nullptr;
    const auto x = packs.keep([&](auto p) {
      auto v = load_pack<T, n>(x_all + at + p.at * step);
      if (masked) {
        const std::uint8_t* part = mask + p.at * kept.step;
#pragma unroll
        for (int k = 0; k < n; ++k, part += kept.step)
          if (*part == 0) v[k] = -std::numeric_limits<T>::infinity();
      }
      return v;
    });
    const T most = packs.template max_of<T>([&](auto p) { return x[p]; });
    // Where nothing is kept the largest is -inf: 0 in its place makes every e^(x - m) 0, not NaN.
    const T m = most == -std::numeric_limits<T>::infinity() ? T(0) : most;
    const auto power = [&](auto p) {
      auto v = x[p];
#pragma unroll
      for (int k = 0; k < n; ++k) v[k] = math::exp(v[k] - m);
      return v;
    };
    const auto write = [&](auto p, const Pack<T, n>& y) { store_pack<n>(y_all + at + p.at * step, y.x); };
    if (log) {
      const T s = math::log(packs.template sum_of<T>(power));
      packs.each([&](auto p) {
        auto v = x[p];
#pragma unroll
        for (int k = 0; k < n; ++k) v[k] = v[k] - m - s;
        write(p, v);
      });
    } else {
      const auto powers = packs.keep(power);
      const T sum = packs.template sum_of<T>([&](auto p) { return powers[p]; });
      const T s = sum == 0 ? T(0) : 1 / sum;
      packs.each([&](auto p) {
        auto v = powers[p];
#pragma unroll
        for (int k = 0; k < n; ++k) v[k] *= s;
        write(p, v);
      });
    }
  });
}

template <int n, int held, class T>
void backward(Cuda d, bool log, const T* y_all, const T* dy_all, T* dx_all, bool add, Extent e) {
  e.each<n>(d, [=] __device__(const auto& team, Index r) {
    const auto packs = packs_of<n, held>(team, e.n);
    const Index at = e.at(r), step = n > 1 ? 1 : e.inner;
    const auto y = packs.keep([&](auto p) { return load_pack<T, n>(y_all + at + p.at * step); });
    const auto dy = packs.keep([&](auto p) { return load_pack<T, n>(dy_all + at + p.at * step); });
    const T s = packs.template sum_of<T>([&](auto p) {
      auto v = dy[p];
#pragma unroll
      for (int k = 0; k < n; ++k) v[k] *= log ? T(1) : y[p][k];
      return v;
    });
    packs.each([&](auto p) {
      const auto out = y[p], up = dy[p];
      T* dx = dx_all + at + p.at * step;
      Pack<T, n> v{};
      if (add) v = load_pack<T, n>(dx);
#pragma unroll
      for (int k = 0; k < n; ++k) v[k] += log ? up[k] - math::exp(out[k]) * s : out[k] * (up[k] - s);
      store_pack<n>(dx, v.x);
    });
  });
}

}  // namespace

void softmax_forward(Cuda d, bool log, const View& x, const View& keep, int axis, const View& y) {
  visit_float(log ? "log_softmax" : "softmax", x.dtype, [&]<class T>() {
    const T* from = x.as<const T>();
    T* to = y.as<T>();
    constexpr int m = pack_size<T>;
    const Extent e(x.shape, axis);
    const Kept kept(keep, axis);
    e.by_packs<T>(aligned<m>(from) && aligned<m>(to), [&]<int n, int held>() {
      if (keep)
        forward<true, n, held>(d, log, from, kept, to, e);
      else
        forward<false, n, held>(d, log, from, kept, to, e);
    });
  });
}

void softmax_backward(Cuda d, bool log, const View& y, const View& dy, int axis, const Target& dx) {
  visit_float("softmax", y.dtype, [&]<class T>() {
    const T *out = y.as<const T>(), *up = dy.as<const T>();
    T* to = dx.as<T>();
    constexpr int m = pack_size<T>;
    const Extent e(y.shape, axis);
    e.by_packs<T>(aligned<m>(out) && aligned<m>(up) && aligned<m>(to), [&]<int n, int held>() {
      backward<n, held>(d, log, out, up, to, dx.into == Into::add, e);
    });
  });
}

}  // namespace fovea
