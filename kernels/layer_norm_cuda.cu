#include "fovea/kernels/cuda_rows.h"
#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/layer_norm.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

constexpr auto op = "layer_norm";

template <int n, int held, class T, class C>
void forward(Cuda d, Index rows, Index length, const T* x_all, const C* w, const C* b, C eps, T* y_all,
             C* mean, C* scale) {
  const C count = static_cast<C>(length);
  each_row(d, rows, length, [=] __device__(const auto& team, Index r) {
    const auto packs = packs_of<n, held>(team, length);
    const auto x = packs.template row<C>(x_all + r * length);
    const C m = packs.template sum<C>([&](auto p) {
      const auto v = x[p];
      C sum = 0;
#pragma unroll
      for (int k = 0; k < n; ++k) sum += v[k];
      return sum;
    }) / count;
    const C variance = packs.template sum<C>([&](auto p) {
      const auto v = x[p];
      C sum = 0;
#pragma unroll
      for (int k = 0; k < n; ++k) sum += (v[k] - m) * (v[k] - m);
      return sum;
    }) / count;
    const C s = 1 / math::sqrt(variance + eps);
    if (team.lane == 0) {
      mean[r] = m;
      scale[r] = s;
    }
    packs.each([&](auto p) {
      auto y = x[p];
#pragma unroll
      for (int k = 0; k < n; ++k) y[k] = (y[k] - m) * s;
      if (w) {
        const auto by = load_pack<C, n>(w + p.at);
#pragma unroll
        for (int k = 0; k < n; ++k) y[k] *= by[k];
      }
      if (b) {
        const auto more = load_pack<C, n>(b + p.at);
#pragma unroll
        for (int k = 0; k < n; ++k) y[k] += more[k];
      }
      store_pack<n>(y_all + r * length + p.at, y.x);
    });
  });
}

// With h = (x - mean) scale and g = dy weight: dx = scale (g - mean of g - h * mean of g h).
template <int n, int held, class T, class C>
void backward(Cuda d, Index rows, Index length, const T* x_all, const C* w, const C* mean, const C* scale,
              const T* dy_all, T* dx_all, bool add) {
  const C count = static_cast<C>(length);
  each_row(d, rows, length, [=] __device__(const auto& team, Index r) {
    const auto packs = packs_of<n, held>(team, length);
    const auto x = packs.template row<C>(x_all + r * length), dy = packs.template row<C>(dy_all + r * length);
    const C m = mean[r], s = scale[r];
    const auto gradient = [&](auto p) {
      auto g = dy[p];
      if (!w) return g;
      const auto by = load_pack<C, n>(w + p.at);
#pragma unroll
      for (int k = 0; k < n; ++k) g[k] *= by[k];
      return g;
    };
    const C a = packs.template sum<C>([&](auto p) {
      const auto g = gradient(p);
      C sum = 0;
#pragma unroll
      for (int k = 0; k < n; ++k) sum += g[k];
      return sum;
    }) / count;
    const C c = packs.template sum<C>([&](auto p) {
      const auto g = gradient(p), v = x[p];
      C sum = 0;
#pragma unroll
      for (int k = 0; k < n; ++k) sum += g[k] * (v[k] - m);
      return sum;
    }) / count * s *
                s;
    packs.each([&](auto p) {
      const auto g = gradient(p), v = x[p];
      T* dx = dx_all + r * length + p.at;
      Pack<C, n> out{};
      if (add) out = load_pack<C, n>(dx);
#pragma unroll
      for (int k = 0; k < n; ++k) out[k] += s * (g[k] - a - (v[k] - m) * c);
      store_pack<n>(dx, out.x);
    });
  });
}

// A thread takes n neighbouring columns.
template <int n, class T, class C>
void parameters(Cuda d, Index rows, Index length, const T* x, const C* mean, const C* scale, const T* dy,
                const Target& dweight, const Target& dbias) {
  C *dw = dweight.as<C>(), *db = dbias.as<C>();
  const bool add_w = dweight.into == Into::add, add_b = dbias.into == Into::add;
  sum_columns<2 * n>(
      d, rows, length / n,
      [=] __device__(Index r, Index c) {
        const auto g = load_pack<C, n>(dy + r * length + c * n);
        Pack<C, n> h{};
        if (dw) {
          const auto v = load_pack<C, n>(x + r * length + c * n);
#pragma unroll
          for (int k = 0; k < n; ++k) h[k] = (v[k] - mean[r]) * scale[r];
        }
        std::array<C, 2 * n> out;
#pragma unroll
        for (int k = 0; k < n; ++k) {
          out[static_cast<std::size_t>(k)] = g[k] * h[k];
          out[static_cast<std::size_t>(n + k)] = g[k];
        }
        return out;
      },
      [=] __device__(Index c, const std::array<double, 2 * n>& sums) {
#pragma unroll
        for (int k = 0; k < n; ++k) {
          if (dw) put(dw + c * n + k, static_cast<C>(sums[static_cast<std::size_t>(k)]), add_w);
          if (db) put(db + c * n + k, static_cast<C>(sums[static_cast<std::size_t>(n + k)]), add_b);
        }
      });
}

}  // namespace

void layer_norm_forward(Cuda d, const View& x, const View& weight, const View& bias, double eps,
                        const View& y, const View& stats) {
  const Index length = x.shape.back(), rows = stats.shape[1];
  if (length == 0) return;
  visit_wide(op, x.dtype, [&]<class T>() {
    using C = Wide<T>;
    const T* from = x.as<const T>();
    const C *w = weight.as<const C>(), *b = bias.as<const C>();
    T* to = y.as<T>();
    C* mean = stats.as<C>();
    constexpr int m = pack_size<T>;
    by_packs<T>(length, aligned<m>(from) && aligned<m>(to) && aligned<m>(w) && aligned<m>(b),
                [&]<int n, int held>() {
                  forward<n, held>(d, rows, length, from, w, b, static_cast<C>(eps), to, mean, mean + rows);
                });
  });
}

void layer_norm_backward(Cuda d, const View& x, const View& weight, const View& stats, const View& dy,
                         const Target& dx) {
  const Index length = x.shape.back(), rows = stats.shape[1];
  if (length == 0) return;
  visit_wide(op, x.dtype, [&]<class T>() {
    using C = Wide<T>;
    const T *from = x.as<const T>(), *up = dy.as<const T>();
    const C *w = weight.as<const C>(), *mean = stats.as<const C>();
    T* to = dx.as<T>();
    constexpr int m = pack_size<T>;
    by_packs<T>(length, aligned<m>(from) && aligned<m>(up) && aligned<m>(to) && aligned<m>(w),
                [&]<int n, int held>() {
                  backward<n, held>(d, rows, length, from, w, mean, mean + rows, up, to,
                                    dx.into == Into::add);
                });
  });
}

void layer_norm_backward_parameters(Cuda d, const View& x, const View& stats, const View& dy,
                                    const Target& dweight, const Target& dbias) {
  const Index length = x.shape.back(), rows = stats.shape[1];
  visit_wide(op, x.dtype, [&]<class T>() {
    using C = Wide<T>;
    const T *from = x.as<const T>(), *up = dy.as<const T>();
    const C* mean = stats.as<const C>();
    constexpr int m = pack_size<T>;
    by_packs<T>(length, aligned<m>(from) && aligned<m>(up), [&]<int n, int>() {
      parameters<n>(d, rows, length, from, mean, mean + rows, up, dweight, dbias);
    });
  });
}

}  // namespace fovea
