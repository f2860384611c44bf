#include "fovea/kernels/loss.h"
#include "fovea/kernels/regression_loss.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

constexpr auto op = "regression_loss";

struct Mse {
  template <class T>
  static T value(T d, T) {
    return d * d;
  }
  template <class T>
  static T slope(T d, T) {
    return 2 * d;
  }
};
struct L1 {
  template <class T>
  static T value(T d, T) {
    return math::abs(d);
  }
  template <class T>
  static T slope(T d, T) {
    return d > 0 ? T(1) : d < 0 ? T(-1) : T(0);
  }
};
struct Huber {
  template <class T>
  static T value(T d, T delta) {
    const T a = math::abs(d);
    return a <= delta ? T(0.5) * d * d : delta * (a - T(0.5) * delta);
  }
  template <class T>
  static T slope(T d, T delta) {
    return d < -delta ? -delta : d > delta ? delta : d;
  }
};

template <class F>
void visit(RegressionLoss loss, F&& f) {
  if (loss.kind == RegressionLoss::mse)
    f(Mse());
  else if (loss.kind == RegressionLoss::l1)
    f(L1());
  else
    f(Huber());
}

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
