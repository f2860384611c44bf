#ifndef FOVEA_OPS_POINTWISE_H_
#define FOVEA_OPS_POINTWISE_H_

#include "fovea/core/tensor.h"

/// Ops on elements. Several inputs broadcast as in NumPy: trailing dimensions are aligned and a size of 1
/// stretches. Inputs are f32 or f64 of one type. To add one: a struct in kernels/pointwise.h and its list,
/// and here a declaration.

namespace fovea {

// ---- arithmetic
Tensor add(const Tensor& x, const Tensor& y);        ///< x + y
Tensor sub(const Tensor& x, const Tensor& y);        ///< x - y
Tensor mul(const Tensor& x, const Tensor& y);        ///< x y
Tensor div(const Tensor& x, const Tensor& y);        ///< x / y
Tensor affine(const Tensor& x, double a, double b);  ///< a x + b
Tensor neg(const Tensor& x);                         ///< -x
Tensor reciprocal(const Tensor& x);                  ///< 1 / x
Tensor square(const Tensor& x);                      ///< x^2
Tensor abs(const Tensor& x);                         ///< |x|; slope 0 at 0
Tensor maximum(const Tensor& x,
               const Tensor& y);  ///< the larger; a tie shares the gradient; NaN goes through
Tensor minimum(const Tensor& x, const Tensor& y);        ///< the smaller; likewise
Tensor clamp(const Tensor& x, double low, double high);  ///< min(max(x, low), high); slope 1 on the bounds

// ---- powers and logarithms
Tensor exp(const Tensor& x);                   ///< e^x
Tensor log(const Tensor& x);                   ///< ln x
Tensor sqrt(const Tensor& x);                  ///< x^(1/2)
Tensor rsqrt(const Tensor& x);                 ///< x^(-1/2)
Tensor pow(const Tensor& x, const Tensor& y);  ///< x^y; at x = 0 its slope in y counts as 0
Tensor pow(const Tensor& x, double y);         ///< x^y with a plain exponent

// ---- functions and activations
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);                          ///< 1 / (1 + e^-x)
Tensor relu(const Tensor& x);                             ///< max(x, 0); slope 0 at 0
Tensor leaky_relu(const Tensor& x, double slope = 0.01);  ///< x > 0 ? x : slope x
Tensor elu(const Tensor& x, double alpha = 1);            ///< x > 0 ? x : alpha (e^x - 1)
Tensor silu(const Tensor& x);                             ///< x sigmoid(x)
Tensor gelu(const Tensor& x);                             ///< x Phi(x), with erf (Hendrycks and Gimpel 2016)
Tensor gelu_tanh(const Tensor& x);                        ///< its tanh approximation, as in GPT-2
Tensor softplus(const Tensor& x);                         ///< ln(1 + e^x)
Tensor erf(const Tensor& x);

// ---- fused chains
Tensor lerp(const Tensor& x, const Tensor& y, const Tensor& g);     ///< x + g (y - x)
Tensor mul_add(const Tensor& x, const Tensor& y, const Tensor& z);  ///< x y + z

// ---- operators
inline Tensor operator+(const Tensor& x, const Tensor& y) { return add(x, y); }
inline Tensor operator-(const Tensor& x, const Tensor& y) { return sub(x, y); }
inline Tensor operator*(const Tensor& x, const Tensor& y) { return mul(x, y); }
inline Tensor operator/(const Tensor& x, const Tensor& y) { return div(x, y); }
inline Tensor operator-(const Tensor& x) { return neg(x); }
inline Tensor operator+(const Tensor& x, double c) { return affine(x, 1, c); }
inline Tensor operator+(double c, const Tensor& x) { return affine(x, 1, c); }
inline Tensor operator-(const Tensor& x, double c) { return affine(x, 1, -c); }
inline Tensor operator-(double c, const Tensor& x) { return affine(x, -1, c); }
inline Tensor operator*(const Tensor& x, double c) { return affine(x, c, 0); }
inline Tensor operator*(double c, const Tensor& x) { return affine(x, c, 0); }
inline Tensor operator/(const Tensor& x, double c) { return affine(x, 1 / c, 0); }
inline Tensor operator/(double c, const Tensor& x) { return affine(reciprocal(x), c, 0); }

}  // namespace fovea

#endif  // FOVEA_OPS_POINTWISE_H_
