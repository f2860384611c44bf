#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/rms_norm.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

constexpr auto op = "rms_norm";

template <class T>
void forward(Cuda d, Index rows, Index n, const T* x_all, const T* w, T eps, T* y_all, T* scales) {
  const T count = static_cast<T>(n);
  each_row(d, rows, n, [=] __device__(const auto& team, Index r) {
    const T* x = x_all + r * n;
    const T square = team.template sum<T>(n, [&](Index k) { return x[k] * x[k]; }) / count;
    const T s = 1 / math::sqrt(square + eps);
    if (team.lane == 0) scales[r] = s;
    T* y = y_all + r * n;
    team.each(n, [&](Index k) { y[k] = x[k] * s * (w ? w[k] : T(1)); });
  });
}

// With g = dy weight: dx = s (g - x s^2 mean(g x)).
template <class T>
void backward(Cuda d, Index rows, Index n, const T* x_all, const T* w, const T* scales, const T* dy_all,
              T* dx_all, bool add) {
  const T count = static_cast<T>(n);
  each_row(d, rows, n, [=] __device__(const auto& team, Index r) {
    const T *x = x_all + r * n, *dy = dy_all + r * n, s = scales[r];
    const auto g = [&](Index k) { return w ? dy[k] * w[k] : dy[k]; };
    const T share = s * s * (team.template sum<T>(n, [&](Index k) { return g(k) * x[k]; }) / count);
    T* dx = dx_all + r * n;
    team.each(n, [&](Index k) { put(dx + k, s * (g(k) - x[k] * share), add); });
  });
}

template <class T>
void weight_gradient(Cuda d, Index rows, Index n, const T* x, const T* scales, const T* dy, T* dw, bool add) {
  sum_columns<1>(
      d, rows, n,
      [=] __device__(Index r, Index c) { return std::array{dy[r * n + c] * (x[r * n + c] * scales[r])}; },
      [=] __device__(Index c, const std::array<double, 1>& sum) {
        put(dw + c, static_cast<T>(sum[0]), add);
      });
}

}  // namespace

void rms_norm_forward(Cuda d, const View& x, const View& weight, double eps, const View& y,
                      const View& scales) {
  const Index n = x.shape.back();
  if (n == 0) return;
  visit_float(op, x.dtype, [&]<class T>() {
    forward(d, scales.numel(), n, x.as<const T>(), weight.as<const T>(), static_cast<T>(eps), y.as<T>(),
            scales.as<T>());
  });
}

void rms_norm_backward(Cuda d, const View& x, const View& weight, const View& scales, const View& dy,
                       const Target& dx) {
  const Index n = x.shape.back();
  if (n == 0) return;
  visit_float(op, x.dtype, [&]<class T>() {
    backward(d, scales.numel(), n, x.as<const T>(), weight.as<const T>(), scales.as<const T>(),
             dy.as<const T>(), dx.as<T>(), dx.into == Into::add);
  });
}

void rms_norm_backward_weight(Cuda d, const View& x, const View& scales, const View& dy,
                              const Target& dweight) {
  visit_float(op, x.dtype, [&]<class T>() {
    weight_gradient(d, scales.numel(), x.shape.back(), x.as<const T>(), scales.as<const T>(),
                    dy.as<const T>(), dweight.as<T>(), dweight.into == Into::add);
  });
}

}  // namespace fovea
