#include "fovea/kernels/bce.h"
#include "fovea/kernels/cuda_loss.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

constexpr auto op = "bce_with_logits";

template <class T>
void forward(Cuda d, Index n, const T* x, const T* y, const T* w, double scale, const View& loss) {
  reduce_loss<T>(d, loss, n, scale, [=] __device__(Index k) {
    return (w ? w[k] : T(1)) * (math::softplus(x[k]) - x[k] * y[k]);
  });
}

template <class T>
void backward_logits(Cuda d, const T* x, const T* y, const T* w, double scale, const View& dy,
                     const Target& dx) {
  spread_loss<T>(d, dx, dy, scale,
                 [=] __device__(Index k) { return (w ? w[k] : T(1)) * (math::sigmoid(x[k]) - y[k]); });
}

template <class T>
void backward_targets(Cuda d, const T* x, const T* w, double scale, const View& dy, const Target& dtarget) {
  spread_loss<T>(d, dtarget, dy, scale, [=] __device__(Index k) { return (w ? w[k] : T(1)) * -x[k]; });
}

}  // namespace

void bce_forward(Cuda d, const View& x, const View& y, const View& w, double scale, const View& loss) {
  visit_float(op, x.dtype, [&]<class T>() {
    forward(d, x.numel(), x.as<const T>(), y.as<const T>(), w.as<const T>(), scale, loss);
  });
}

void bce_backward_logits(Cuda d, const View& x, const View& y, const View& w, double scale, const View& dy,
                         const Target& dx) {
  visit_float(op, x.dtype, [&]<class T>() {
    backward_logits(d, x.as<const T>(), y.as<const T>(), w.as<const T>(), scale, dy, dx);
  });
}

void bce_backward_targets(Cuda d, const View& x, const View& w, double scale, const View& dy,
                          const Target& dtarget) {
  visit_float(op, x.dtype,
              [&]<class T>() { backward_targets(d, x.as<const T>(), w.as<const T>(), scale, dy, dtarget); });
}

}  // namespace fovea
