#ifndef FOVEA_KERNELS_POINTWISE_H_
#define FOVEA_KERNELS_POINTWISE_H_

#include <span>
#include <tuple>

#include "fovea/core/device.h"
#include "fovea/kernels/dual.h"
#include "fovea/kernels/target.h"

/// The pointwise ops: one struct each, and one list at the end. A struct has
///   name      as the public function is called
///   arity     the number of tensors, 1 to 3
///   scalars   the number of plain numbers that follow them (0 to 2), when there are any
///   f         the formula, written for any number type X; evaluated on dual numbers it is its own gradient
///   slope     optional, unary only: the derivative in terms of the *output* y, then saved for x
///   linear    true when the gradient depends on no input, so that none need be saved
///   partials  optional: the gradient by hand, where dual numbers would choose badly at a kink

namespace fovea::pointwise {

template <class T>
struct Scalars {
  T a = 0, b = 0;
};

struct Unary {
  static constexpr int arity = 1, scalars = 0;
  static constexpr bool linear = false;
};
struct Binary : Unary {
  static constexpr int arity = 2;
};
struct Ternary : Unary {
  static constexpr int arity = 3;
};

// ---- arithmetic
struct Add : Binary {
  static constexpr auto name = "add";
  static constexpr bool linear = true;
  template <class X>
  FOVEA_HD static X f(X x, X y) {
    return x + y;
  }
};
struct Sub : Binary {
  static constexpr auto name = "sub";
  static constexpr bool linear = true;
  template <class X>
  FOVEA_HD static X f(X x, X y) {
    return x - y;
  }
};
struct Mul : Binary {
  static constexpr auto name = "mul";
  template <class X>
  FOVEA_HD static X f(X x, X y) {
    return x * y;
  }
};
struct Div : Binary {
  static constexpr auto name = "div";
  template <class X>
  FOVEA_HD static X f(X x, X y) {
    return x / y;
  }
};
struct Affine : Unary {
  static constexpr auto name = "affine";
  static constexpr bool linear = true;
  static constexpr int scalars = 2;
  template <class X, class T>
  FOVEA_HD static X f(X x, Scalars<T> s) {
    return x * X(s.a) + X(s.b);
  }
};
struct Neg : Unary {
  static constexpr auto name = "neg";
  static constexpr bool linear = true;
  template <class X>
  FOVEA_HD static X f(X x) {
    return -x;
  }
};
struct Reciprocal : Unary {
  static constexpr auto name = "reciprocal";
  template <class X>
  FOVEA_HD static X f(X x) {
    return X(1) / x;
  }
  template <class T>
  FOVEA_HD static T slope(T y) {
    return -y * y;
  }
};
struct Square : Unary {
  static constexpr auto name = "square";
  template <class X>
  FOVEA_HD static X f(X x) {
    return x * x;
  }
};
struct Abs : Unary {
  static constexpr auto name = "abs";
  template <class X>
  FOVEA_HD static X f(X x) {
    return x > X(0) ? x : -x;
  }
  template <class T>
  FOVEA_HD static void partials(const T* x, T* d) {
    d[0] = x[0] > 0 ? T(1) : x[0] < 0 ? T(-1) : T(0);
  }
};
struct Maximum : Binary {
  static constexpr auto name = "maximum";
  template <class X>
  FOVEA_HD static X f(X x, X y) {
    return x > y || x != x ? x : y;  // NaN on either side goes through
  }
  template <class T>
  FOVEA_HD static void partials(const T* x, T* d) {
    d[0] = x[0] > x[1] ? T(1) : x[0] < x[1] ? T(0) : T(0.5);  // a tie is shared, as in PyTorch
    d[1] = T(1) - d[0];
  }
};
struct Minimum : Binary {
  static constexpr auto name = "minimum";
  template <class X>
  FOVEA_HD static X f(X x, X y) {
    return x < y || x != x ? x : y;
  }
  template <class T>
  FOVEA_HD static void partials(const T* x, T* d) {
    d[0] = x[0] < x[1] ? T(1) : x[0] > x[1] ? T(0) : T(0.5);
    d[1] = T(1) - d[0];
  }
};
struct Clamp : Unary {
  static constexpr auto name = "clamp";
  static constexpr int scalars = 2;
  template <class X, class T>
  FOVEA_HD static X f(X x, Scalars<T> s) {
    return x < X(s.a) ? X(s.a) : x > X(s.b) ? X(s.b) : x;
  }
};

// ---- powers and logarithms
struct Exp : Unary {
  static constexpr auto name = "exp";
  template <class X>
  FOVEA_HD static X f(X x) {
    return math::exp(x);
  }
  template <class T>
  FOVEA_HD static T slope(T y) {
    return y;
  }
};
struct Log : Unary {
  static constexpr auto name = "log";
  template <class X>
  FOVEA_HD static X f(X x) {
    return math::log(x);
  }
};
struct Sqrt : Unary {
  static constexpr auto name = "sqrt";
  template <class X>
  FOVEA_HD static X f(X x) {
    return math::sqrt(x);
  }
  template <class T>
  FOVEA_HD static T slope(T y) {
    return T(0.5) / y;
  }
};
struct Rsqrt : Unary {
  static constexpr auto name = "rsqrt";
  template <class X>
  FOVEA_HD static X f(X x) {
    return X(1) / math::sqrt(x);
  }
  template <class T>
  FOVEA_HD static T slope(T y) {
    return T(-0.5) * y * y * y;
  }
};
struct Pow : Binary {
  static constexpr auto name = "pow";
  template <class X>
  FOVEA_HD static X f(X x, X y) {
    return math::pow(x, y);
  }
  // At x = 0 the slope in y is 0 * log 0: its limit is 0.
  template <class T>
  FOVEA_HD static void partials(const T* x, T* d) {
    d[0] = x[1] == T(0) ? T(0) : x[1] * math::pow(x[0], x[1] - T(1));
    d[1] = x[0] > T(0) ? math::pow(x[0], x[1]) * math::log(x[0]) : T(0);
  }
};
struct PowScalar : Unary {
  static constexpr auto name = "pow";
  static constexpr int scalars = 1;
  template <class X, class T>
  FOVEA_HD static X f(X x, Scalars<T> s) {
    return math::pow(x, s.a);
  }
};

// ---- functions and activations
struct Sin : Unary {
  static constexpr auto name = "sin";
  template <class X>
  FOVEA_HD static X f(X x) {
    return math::sin(x);
  }
};
struct Cos : Unary {
  static constexpr auto name = "cos";
  template <class X>
  FOVEA_HD static X f(X x) {
    return math::cos(x);
  }
};
struct Tanh : Unary {
  static constexpr auto name = "tanh";
  template <class X>
  FOVEA_HD static X f(X x) {
    return math::tanh(x);
  }
  template <class T>
  FOVEA_HD static T slope(T y) {
    return T(1) - y * y;
  }
};
struct Sigmoid : Unary {
  static constexpr auto name = "sigmoid";
  template <class X>
  FOVEA_HD static X f(X x) {
    return math::sigmoid(x);
  }
  template <class T>
  FOVEA_HD static T slope(T y) {
    return y * (T(1) - y);
  }
};
struct Relu : Unary {
  static constexpr auto name = "relu";
  template <class X>
  FOVEA_HD static X f(X x) {
    return x < X(0) ? X(0) : x;
  }
  template <class T>
  FOVEA_HD static T slope(T y) {
    return y > T(0) ? T(1) : T(0);
  }
};
struct LeakyRelu : Unary {
  static constexpr auto name = "leaky_relu";
  static constexpr int scalars = 1;
  template <class X, class T>
  FOVEA_HD static X f(X x, Scalars<T> s) {
    return x > X(0) ? x : X(s.a) * x;
  }
};
struct Elu : Unary {
  static constexpr auto name = "elu";
  static constexpr int scalars = 1;
  template <class X, class T>
  FOVEA_HD static X f(X x, Scalars<T> s) {
    return x > X(0) ? x : X(s.a) * math::expm1(x > X(0) ? X(0) : x);
  }
};
struct Silu : Unary {
  static constexpr auto name = "silu";
  template <class X>
  FOVEA_HD static X f(X x) {
    return x * math::sigmoid(x);
  }
};
struct Gelu : Unary {
  static constexpr auto name = "gelu";
  template <class X>
  FOVEA_HD static X f(X x) {
    return X(0.5) * x * (X(1) + math::erf(x * X(0.70710678118654752)));
  }
};
struct GeluTanh : Unary {
  static constexpr auto name = "gelu_tanh";
  template <class X>
  FOVEA_HD static X f(X x) {
    return X(0.5) * x * (X(1) + math::tanh(X(0.79788456080286536) * (x + X(0.044715) * x * x * x)));
  }
};
struct Softplus : Unary {
  static constexpr auto name = "softplus";
  template <class X>
  FOVEA_HD static X f(X x) {
    return math::softplus(x);
  }
};
struct Erf : Unary {
  static constexpr auto name = "erf";
  template <class X>
  FOVEA_HD static X f(X x) {
    return math::erf(x);
  }
};

// ---- fused chains
struct Lerp : Ternary {
  static constexpr auto name = "lerp";
  template <class X>
  FOVEA_HD static X f(X x, X y, X g) {
    return x + g * (y - x);
  }
};
struct MulAdd : Ternary {
  static constexpr auto name = "mul_add";
  template <class X>
  FOVEA_HD static X f(X x, X y, X z) {
    return x * y + z;
  }
};

/// Every pointwise op. Kernels, gradients and tests walk this list.
using List = std::tuple<Add, Sub, Mul, Div, Affine, Neg, Reciprocal, Square, Abs, Maximum, Minimum, Clamp,
                        Exp, Log, Sqrt, Rsqrt, Pow, PowScalar, Sin, Cos, Tanh, Sigmoid, Relu, LeakyRelu, Elu,
                        Silu, Gelu, GeluTanh, Softplus, Erf, Lerp, MulAdd>;

template <class F, class... Fs>
constexpr int index_in(std::tuple<Fs...>*) {
  constexpr bool same[] = {std::is_same_v<F, Fs>...};
  int i = 0;
  while (!same[i]) ++i;
  return i;
}
/// The place of F in the list.
template <class F>
inline constexpr int id_of = index_in<F>(static_cast<List*>(nullptr));

template <class F>
concept HasSlope = requires {
  F::slope(1.0);
};
template <class F>
concept HasPartials = requires(double* d) {
  F::partials(d, d);
};

}  // namespace fovea::pointwise

namespace fovea {

/// y = f(x...), for op `id` of the list; every view has y's shape (broadcast dimensions have stride 0), y is
/// row-major. On a GPU all may be bf16, computed in float.
void pointwise_forward(Cpu, int id, std::span<const View> x, pointwise::Scalars<double> scalars,
                       const View& y);
void pointwise_forward(Cuda, int id, std::span<const View> x, pointwise::Scalars<double> scalars,
                       const View& y);

/// dx_i (set or +=) dy * df/dx_i for every i whose dx is given. All views have dy's shape; where dx_i has
/// stride 0 the contributions are summed. `y` is read by ops with a slope, `x` by the others.
void pointwise_backward(Cpu, int id, std::span<const View> x, pointwise::Scalars<double> scalars,
                        const View& y, const View& dy, std::span<const Target> dx);
void pointwise_backward(Cuda, int id, std::span<const View> x, pointwise::Scalars<double> scalars,
                        const View& y, const View& dy, std::span<const Target> dx);

}  // namespace fovea

#endif  // FOVEA_KERNELS_POINTWISE_H_
