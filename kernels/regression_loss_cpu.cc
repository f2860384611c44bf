#include "fovea/kernels/loss.h"
#include "fovea/kernels/regression_loss_terms.h"

namespace fovea {
namespace {

constexpr auto op = "regression_loss";

using regression::visit;

}  // namespace

void regression_loss_forward(Cpu, RegressionLoss loss, const View& x, const View& y, double scale,
                             const View& out) {
  visit_float(op, x.dtype, [&]<class T>() {
    const T *px = x.as<const T>(), *py = y.as<const T>(), delta = static_cast<T>(loss.delta);
    visit(loss, [&](auto f) {
      reduce_loss<T>(out, x.numel(), scale, cheap_grain,
                     [=](Index k) { return f.value(px[k] - py[k], delta); });
    });
  });
}

void regression_loss_backward(Cpu, RegressionLoss loss, const View& x, const View& y, double scale,
                              const View& dy, double sign, const Target& dx) {
  visit_float(op, x.dtype, [&]<class T>() {
    const T *px = x.as<const T>(), *py = y.as<const T>(), delta = static_cast<T>(loss.delta);
    const T s = static_cast<T>(sign);
    visit(loss, [&](auto f) {
      spread_loss<T>(dx, dy, scale, cheap_grain, [=](Index k) { return s * f.slope(px[k] - py[k], delta); });
    });
  });
}

}  // namespace fovea
