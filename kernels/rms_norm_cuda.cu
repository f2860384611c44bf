#include "fovea/kernels/cuda_rows.h"
#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/rms_norm.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

constexpr auto op = "rms_norm";

template <int n, int held, class T>
void forward(Cuda d, Index rows, Index length, const T* x_all, const T* w, T eps, T* y_all, T* scales) {
  const T count = static_cast<T>(length);
  each_row(d, rows, length, [=] __device__(const auto& team, Index r) {
    const auto packs = packs_of<n, held>(team, length);
    const auto x = packs.template row<T>(x_all + r * length);
    const T square = packs.template sum_of<T>([&](auto p) {
      auto v = x[p];
#pragma unroll
      for (int k = 0; k < n; ++k) v[k] *= v[k];
      return v;
    }) / count;
    const T s = 1 / math::sqrt(square + eps);
    if (team.lane == 0) scales[r] = s;
    packs.each([&](auto p) {
      auto y = x[p];
#pragma unroll
      for (int k = 0; k < n; ++k) y[k] *= s;
      if (w) {
        const auto by = load_pack<T, n>(w + p.at);
#pragma unroll
        for (int k = 0; k < n; ++k) y[k] *= by[k];
      }
      store_pack<n>(y_all + r * length + p.at, y.x);
    });
  });
}

// With g = dy weight: dx = s (g - x s^2 mean(g x)).
template <int n, int held, class T>
void backward(Cuda d, Index rows, Index length, const T* x_all, const T* w, const T* scales, const T* dy_all,
              T* dx_all, bool add) {
  const T count = static_cast<T>(length);
  each_row(d, rows, length, [=] __device__(const auto& team, Index r) {
    const auto packs = packs_of<n, held>(team, length);
    const auto x = packs.template row<T>(x_all + r * length), dy = packs.template row<T>(dy_all + r * length);
    const auto g = packs.keep([&](auto p) {
      auto v = dy[p];
      if (!w) return v;
      const auto by = load_pack<T, n>(w + p.at);
#pragma unroll
      for (int k = 0; k < n; ++k) v[k] *= by[k];
      return v;
    });
    const T s = scales[r];
    const T share = s * s * (packs.template sum_of<T>([&](auto p) {
                      auto v = g[p];
                      const auto by = x[p];
#pragma unroll
                      for (int k = 0; k < n; ++k) v[k] *= by[k];
                      return v;
                    }) / count);
    packs.each([&](auto p) {
      const auto up = g[p], v = x[p];
      T* dx = dx_all + r * length + p.at;
      Pack<T, n> out{};
      if (add) out = load_pack<T, n>(dx);
#pragma unroll
      for (int k = 0; k < n; ++k) out[k] += s * (up[k] - v[k] * share);
      store_pack<n>(dx, out.x);
    });
  });
}

// A thread takes n neighbouring columns.
template <int n, class T>
void weight_gradient(Cuda d, Index rows, Index length, const T* x, const T* scales, const T* dy, T* dw,
                     bool add) {
  sum_columns<n>(
      d, rows, length / n,
      [=] __device__(Index r, Index c) {
        const auto g = load_pack<T, n>(dy + r * length + c * n), v = load_pack<T, n>(x + r * length + c * n);
        std::array<T, n> out;
#pragma unroll
        for (int k = 0; k < n; ++k) out[static_cast<std::size_t>(k)] = g[k] * (v[k] * scales[r]);
        return out;
      },
      [=] __device__(Index c, const std::array<double, n>& sums) {
#pragma unroll
        for (int k = 0; k < n; ++k)
          put(dw + c * n + k, static_cast<T>(sums[static_cast<std::size_t>(k)]), add);
      });
}

}  // namespace

void rms_norm_forward(Cuda d, const View& x, const View& weight, double eps, const View& y,
                      const View& scales) {
  const Index length = x.shape.back();
  if (length == 0) return;
  visit_float(op, x.dtype, [&]<class T>() {
    const T *from = x.as<const T>(), *w = weight.as<const T>();
    T* to = y.as<T>();
    constexpr int m = pack_size<T>;
    by_packs<T>(length, aligned<m>(from) && aligned<m>(to) && aligned<m>(w), [&]<int n, int held>() {
      forward<n, held>(d, scales.numel(), length, from, w, static_cast<T>(eps), to, scales.as<T>());
    });
  });
}

void rms_norm_backward(Cuda d, const View& x, const View& weight, const View& scales, const View& dy,
                       const Target& dx) {
  const Index length = x.shape.back();
  if (length == 0) return;
  visit_float(op, x.dtype, [&]<class T>() {
    const T *from = x.as<const T>(), *w = weight.as<const T>(), *up = dy.as<const T>();
    T* to = dx.as<T>();
    constexpr int m = pack_size<T>;
    by_packs<T>(length, aligned<m>(from) && aligned<m>(up) && aligned<m>(to) && aligned<m>(w),
                [&]<int n, int held>() {
                  backward<n, held>(d, scales.numel(), length, from, w, scales.as<const T>(), up, to,
                                    dx.into == Into::add);
                });
  });
}

void rms_norm_backward_weight(Cuda d, const View& x, const View& scales, const View& dy,
                              const Target& dweight) {
  const Index length = x.shape.back();
  visit_float(op, x.dtype, [&]<class T>() {
    const T *from = x.as<const T>(), *up = dy.as<const T>();
    constexpr int m = pack_size<T>;
    by_packs<T>(length, aligned<m>(from) && aligned<m>(up), [&]<int n, int>() {
      weight_gradient<n>(d, scales.numel(), length, from, scales.as<const T>(), up, dweight.as<T>(),
                         dweight.into == Into::add);
    });
  });
}

}  // namespace fovea
