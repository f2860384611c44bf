#include "fovea/kernels/cuda_loss.h"
#include "fovea/kernels/regression_loss_terms.h"

namespace fovea {
namespace {

constexpr auto op = "regression_loss";

template <class F, class T>
void forward(Cuda d, T delta, Index n, const T* x, const T* y, double scale, const View& out) {
  reduce_loss<T>(d, out, n, scale, [=] __device__(Index k) { return F::value(x[k] - y[k], delta); });
}

template <class F, class T>
void backward(Cuda d, T delta, const T* x, const T* y, double scale, const View& dy, T sign,
              const Target& dx) {
  spread_loss<T>(d, dx, dy, scale, [=] __device__(Index k) { return sign * F::slope(x[k] - y[k], delta); });
}

}  // namespace

void regression_loss_forward(Cuda d, RegressionLoss loss, const View& x, const View& y, double scale,
                             const View& out) {
  visit_float(op, x.dtype, [&]<class T>() {
    regression::visit(loss, [&]<class F>(F) {
      forward<F>(d, static_cast<T>(loss.delta), x.numel(), x.as<const T>(), y.as<const T>(), scale, out);
    });
  });
}

void regression_loss_backward(Cuda d, RegressionLoss loss, const View& x, const View& y, double scale,
                              const View& dy, double sign, const Target& dx) {
  visit_float(op, x.dtype, [&]<class T>() {
    regression::visit(loss, [&]<class F>(F) {
      backward<F>(d, static_cast<T>(loss.delta), x.as<const T>(), y.as<const T>(), scale, dy,
                  static_cast<T>(sign), dx);
    });
  });
}

}  // namespace fovea
