#ifndef FOVEA_KERNELS_REDUCE_TERMS_H_
#define FOVEA_KERNELS_REDUCE_TERMS_H_

#include <limits>

#include "fovea/kernels/scalar_math.h"

/// The formulas of the reductions, for all devices.

namespace fovea::reduction {

// ---- what is summed, as a function of x and of the value that y's place holds in `shift`
struct Value {
  static constexpr bool costly = false;
  template <class T>
  FOVEA_HD static T shift(T) {
    return 0;
  }
  template <class T>
  FOVEA_HD static T f(T x, T) {
    return x;
  }
};
struct Square : Value {
  template <class T>
  FOVEA_HD static T f(T x, T) {
    return x * x;
  }
};
struct SquareDistance : Value {
  template <class T>
  FOVEA_HD static T shift(T mean) {
    return mean;
  }
  template <class T>
  FOVEA_HD static T f(T x, T mean) {
    return (x - mean) * (x - mean);
  }
};
struct Exponential : Value {
  static constexpr bool costly = true;
  template <class T>
  FOVEA_HD static T shift(T max) {
    return math::abs(max) <= std::numeric_limits<T>::max() ? max : T(0);  // inf - inf would be NaN
  }
  template <class T>
  FOVEA_HD static T f(T x, T max) {
    return math::exp(x - max);
  }
};

// ---- what y becomes of the sum (in double), of what stood there and of the shift
struct Scaled {
  double scale;
  bool add = false;
  template <class T>
  FOVEA_HD T operator()(double sum, T y, T) const {
    return static_cast<T>(add ? static_cast<double>(y) + scale * sum : scale * sum);
  }
};
struct Root {
  double eps;
  template <class T>
  FOVEA_HD T operator()(double sum, T, T) const {
    return static_cast<T>(math::sqrt(eps + sum));
  }
};
struct Logarithm {
  template <class T>
  FOVEA_HD T operator()(double sum, T, T max) const {
    return static_cast<T>(static_cast<double>(max) + math::log(sum));
  }
};

// ---- the slopes of ReduceSlope, of x and of a value s of y's size
struct One {
  static constexpr bool costly = false;
  template <class T>
  FOVEA_HD static T f(T, T) {
    return 1;
  }
};
struct Ratio : One {
  template <class T>
  FOVEA_HD static T f(T x, T s) {
    return s == 0 ? T(0) : x / s;
  }
};
struct Distance : One {
  template <class T>
  FOVEA_HD static T f(T x, T s) {
    return x - s;
  }
};
struct Exp {
  static constexpr bool costly = true;
  template <class T>
  FOVEA_HD static T f(T x, T s) {
    return s == -std::numeric_limits<T>::infinity() ? T(0) : math::exp(x - s);
  }
};

}  // namespace fovea::reduction

#endif  // FOVEA_KERNELS_REDUCE_TERMS_H_
