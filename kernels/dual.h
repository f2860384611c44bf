#ifndef FOVEA_KERNELS_DUAL_H_
#define FOVEA_KERNELS_DUAL_H_

#include "fovea/kernels/scalar_math.h"

/// Dual numbers: a value and its N partial derivatives. Evaluating a formula on them gives its gradient by
/// the chain rule (forward mode), which is how a pointwise op without a hand-written gradient is
/// differentiated.

namespace fovea::math {

template <class T, int N>
struct Dual {
  T v;
  T d[N];

  FOVEA_HD Dual(T value) : v(value) {
    for (int i = 0; i < N; ++i) d[i] = T(0);
  }
  FOVEA_HD Dual(double value) requires(!std::is_same_v<T, double>) : Dual(static_cast<T>(value)) {}
  FOVEA_HD Dual(int value) : Dual(static_cast<T>(value)) {}
  /// The i-th variable.
  FOVEA_HD static Dual variable(T value, int i) {
    Dual x(value);
    x.d[i] = T(1);
    return x;
  }
  /// A function of x with value y and derivative slope at x.v.
  FOVEA_HD static Dual chain(const Dual& x, T y, T slope) {
    Dual r(y);
    for (int i = 0; i < N; ++i) r.d[i] = slope * x.d[i];
    return r;
  }

  FOVEA_HD friend Dual operator+(const Dual& a, const Dual& b) {
    Dual r(a.v + b.v);
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] + b.d[i];
    return r;
  }
  FOVEA_HD friend Dual operator-(const Dual& a, const Dual& b) {
    Dual r(a.v - b.v);
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] - b.d[i];
    return r;
  }
  FOVEA_HD friend Dual operator*(const Dual& a, const Dual& b) {
    Dual r(a.v * b.v);
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] * b.v + a.v * b.d[i];
    return r;
  }
  FOVEA_HD friend Dual operator/(const Dual& a, const Dual& b) {
    const T inverse = T(1) / b.v, q = a.v * inverse;
    Dual r(q);
    for (int i = 0; i < N; ++i) r.d[i] = (a.d[i] - q * b.d[i]) * inverse;
    return r;
  }
  FOVEA_HD friend Dual operator-(const Dual& a) { return chain(a, -a.v, T(-1)); }
  FOVEA_HD friend bool operator<(const Dual& a, const Dual& b) { return a.v < b.v; }
  FOVEA_HD friend bool operator>(const Dual& a, const Dual& b) { return a.v > b.v; }
};

template <class T, int N>
FOVEA_HD Dual<T, N> exp(const Dual<T, N>& x) {
  const T y = exp(x.v);
  return Dual<T, N>::chain(x, y, y);
}
template <class T, int N>
FOVEA_HD Dual<T, N> expm1(const Dual<T, N>& x) {
  return Dual<T, N>::chain(x, expm1(x.v), exp(x.v));
}
template <class T, int N>
FOVEA_HD Dual<T, N> log(const Dual<T, N>& x) {
  return Dual<T, N>::chain(x, log(x.v), T(1) / x.v);
}
template <class T, int N>
FOVEA_HD Dual<T, N> sin(const Dual<T, N>& x) {
  return Dual<T, N>::chain(x, sin(x.v), cos(x.v));
}
template <class T, int N>
FOVEA_HD Dual<T, N> cos(const Dual<T, N>& x) {
  return Dual<T, N>::chain(x, cos(x.v), -sin(x.v));
}
template <class T, int N>
FOVEA_HD Dual<T, N> tanh(const Dual<T, N>& x) {
  const T y = tanh(x.v);
  return Dual<T, N>::chain(x, y, T(1) - y * y);
}
template <class T, int N>
FOVEA_HD Dual<T, N> sigmoid(const Dual<T, N>& x) {
  const T y = sigmoid(x.v);
  return Dual<T, N>::chain(x, y, y * (T(1) - y));
}
template <class T, int N>
FOVEA_HD Dual<T, N> softplus(const Dual<T, N>& x) {
  return Dual<T, N>::chain(x, softplus(x.v), sigmoid(x.v));
}
template <class T, int N>
FOVEA_HD Dual<T, N> erf(const Dual<T, N>& x) {
  constexpr T two_over_root_pi = T(1.1283791670955126);
  return Dual<T, N>::chain(x, erf(x.v), two_over_root_pi * exp(-x.v * x.v));
}
/// x^y for a plain exponent.
template <class T, int N>
FOVEA_HD Dual<T, N> pow(const Dual<T, N>& x, T y) {
  return Dual<T, N>::chain(x, pow(x.v, y), y == T(0) ? T(0) : y * pow(x.v, y - T(1)));
}

}  // namespace fovea::math

#endif  // FOVEA_KERNELS_DUAL_H_
