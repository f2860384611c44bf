#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/layer_norm.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

constexpr auto op = "layer_norm";

template <class T>
void forward(Cuda d, Index rows, Index n, const T* x_all, const T* w, const T* b, T eps, T* y_all, T* mean,
             T* scale) {
  const T count = static_cast<T>(n);
  each_row(d, rows, n, [=] __device__(const auto& team, Index r) {
    const T* x = x_all + r * n;
    const T m = team.template sum<T>(n, [&](Index k) { return x[k]; }) / count;
    const T variance = team.template sum<T>(n, [&](Index k) { return (x[k] - m) * (x[k] - m); }) / count;
    const T s = 1 / math::sqrt(variance + eps);
    if (team.lane == 0) {
      mean[r] = m;
      scale[r] = s;
    }
    T* y = y_all + r * n;
    team.each(n, [&](Index k) { y[k] = (x[k] - m) * s * (w ? w[k] : T(1)) + (b ? b[k] : T(0)); });
  });
}

// With h = (x - mean) scale and g = dy weight: dx = scale (g - mean of g - h * mean of g h).
template <class T>
void backward(Cuda d, Index rows, Index n, const T* x_all, const T* w, const T* mean, const T* scale,
              const T* dy_all, T* dx_all, bool add) {
  const T count = static_cast<T>(n);
  each_row(d, rows, n, [=] __device__(const auto& team, Index r) {
    const T *x = x_all + r * n, *dy = dy_all + r * n, m = mean[r], s = scale[r];
    const auto g = [&](Index k) { return w ? dy[k] * w[k] : dy[k]; };
    const T a = team.template sum<T>(n, g) / count;
    const T c = team.template sum<T>(n, [&](Index k) { return g(k) * (x[k] - m); }) / count * s * s;
    T* dx = dx_all + r * n;
    team.each(n, [&](Index k) { put(dx + k, s * (g(k) - a - (x[k] - m) * c), add); });
  });
}

template <class T>
void parameters(Cuda d, Index rows, Index n, const T* x, const T* mean, const T* scale, const T* dy,
                const Target& dweight, const Target& dbias) {
  T *dw = dweight.as<T>(), *db = dbias.as<T>();
  const bool add_w = dweight.into == Into::add, add_b = dbias.into == Into::add;
  sum_columns<2>(
      d, rows, n,
      [=] __device__(Index r, Index c) {
        const T g = dy[r * n + c];
        return std::array{dw ? g * ((x[r * n + c] - mean[r]) * scale[r]) : T(0), g};
      },
      [=] __device__(Index c, const std::array<double, 2>& sums) {
        if (dw) put(dw + c, static_cast<T>(sums[0]), add_w);
        if (db) put(db + c, static_cast<T>(sums[1]), add_b);
      });
}

}  // namespace

void layer_norm_forward(Cuda d, const View& x, const View& weight, const View& bias, double eps,
                        const View& y, const View& stats) {
  const Index n = x.shape.back(), rows = stats.shape[1];
  if (n == 0) return;
  visit_float(op, x.dtype, [&]<class T>() {
    forward(d, rows, n, x.as<const T>(), weight.as<const T>(), bias.as<const T>(), static_cast<T>(eps),
            y.as<T>(), stats.as<T>(), stats.as<T>() + rows);
  });
}

void layer_norm_backward(Cuda d, const View& x, const View& weight, const View& stats, const View& dy,
                         const Target& dx) {
  const Index n = x.shape.back(), rows = stats.shape[1];
  if (n == 0) return;
  visit_float(op, x.dtype, [&]<class T>() {
    const T* mean = stats.as<const T>();
    backward(d, rows, n, x.as<const T>(), weight.as<const T>(), mean, mean + rows, dy.as<const T>(),
             dx.as<T>(), dx.into == Into::add);
  });
}

void layer_norm_backward_parameters(Cuda d, const View& x, const View& stats, const View& dy,
                                    const Target& dweight, const Target& dbias) {
  const Index n = x.shape.back(), rows = stats.shape[1];
  visit_float(op, x.dtype, [&]<class T>() {
    const T* mean = stats.as<const T>();
    parameters(d, rows, n, x.as<const T>(), mean, mean + rows, dy.as<const T>(), dweight, dbias);
  });
}

}  // namespace fovea
