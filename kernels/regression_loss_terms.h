#ifndef FOVEA_KERNELS_REGRESSION_LOSS_TERMS_H_
#define FOVEA_KERNELS_REGRESSION_LOSS_TERMS_H_

#include "fovea/kernels/regression_loss.h"
#include "fovea/kernels/scalar_math.h"

/// The formulas of the regression losses, for all devices: the value of a difference d and its slope there.

namespace fovea::regression {

struct Mse {
  template <class T>
  FOVEA_HD static T value(T d, T) {
    return d * d;
  }
  template <class T>
  FOVEA_HD static T slope(T d, T) {
    return 2 * d;
  }
};
struct L1 {
  template <class T>
  FOVEA_HD static T value(T d, T) {
    return math::abs(d);
  }
  template <class T>
  FOVEA_HD static T slope(T d, T) {
    return d > 0 ? T(1) : d < 0 ? T(-1) : T(0);
  }
};
struct Huber {
  template <class T>
  FOVEA_HD static T value(T d, T delta) {
    const T a = math::abs(d);
    return a <= delta ? T(0.5) * d * d : delta * (a - T(0.5) * delta);
  }
  template <class T>
  FOVEA_HD static T slope(T d, T delta) {
    return d < -delta ? -delta : d > delta ? delta : d;
  }
};

/// Calls f with the formula of a loss.
template <class F>
void visit(RegressionLoss loss, F&& f) {
  if (loss.kind == RegressionLoss::mse)
    f(Mse());
  else if (loss.kind == RegressionLoss::l1)
    f(L1());
  else
    f(Huber());
}

}  // namespace fovea::regression

#endif  // FOVEA_KERNELS_REGRESSION_LOSS_TERMS_H_
