#include "fovea/ops/pointwise.h"

#include <array>

#include "fovea/core/tape.h"
#include "fovea/kernels/pointwise.h"
#include "fovea/ops/by_f32.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

using pointwise::Scalars;
using Inputs = std::span<const Tensor* const>;

Tensor forward(int id, const char* name, Inputs x, Scalars<double> scalars) {
  Shape shape = x[0]->shape();
  for (const Tensor* t : x) {
    shape = broadcast(name, shape, t->shape());
    require(t->dtype() == x[0]->dtype(), name, "types differ: ", x[0]->dtype(), " and ", t->dtype(),
            "; cast() one of them");
    if (t->device() != x[0]->device()) detail::require_one_device(name, {*x[0], *t});
  }
  Tensor y = Tensor::empty(shape, x[0]->dtype(), x[0]->device());
  std::array<View, 3> views;
  for (std::size_t i = 0; i < x.size(); ++i) views[i] = view_of(*x[i], shape);
  std::visit(
      [&](auto d) {
        pointwise_forward(d, id, {views.data(), x.size()}, scalars, view_of(y));
      },
      y.device());
  return y;
}

// `x` holds what was saved of the inputs; an op whose slope does not depend on them saves none.
void backward(int id, Scalars<double> scalars, Backward& b, std::size_t arity, Inputs x, const Tensor& y) {
  const Tensor& dy = b.dy();
  std::array<View, 3> views;
  std::array<Tensor, 3> dx;
  std::array<Target, 3> targets;
  for (std::size_t i = 0; i < arity; ++i) {
    views[i] = x.empty() ? view_of(dy) : view_of(*x[i], dy.shape());
    if (!b.wants(static_cast<int>(i))) continue;
    auto target = b.target(static_cast<int>(i));
    targets[i] = {view_of(target.dx, dy.shape()), target.into};
  }
  std::visit(
      [&](auto d) {
        pointwise_backward(d, id, {views.data(), arity}, scalars, view_of(y), view_of(dy),
                           {targets.data(), arity});
      },
      dy.device());
}

template <class F, class... X>
Tensor apply(Scalars<double> scalars, const X&... x) {
  static constexpr int id = pointwise::id_of<F>;
  static constexpr std::size_t arity = sizeof...(X);
  static_assert(arity == F::arity);
  if ((detail::needs_f32(x) && ...))
    return detail::by_f32([&](const auto&... wide) { return apply<F>(scalars, wide...); }, x...);
  const std::array<const Tensor*, arity> inputs{&x...};
  Tensor y = forward(id, F::name, inputs, scalars);
  if constexpr (pointwise::HasSlope<F>)
    record(F::name, {x...}, {y},
           [y = Saved(y), scalars](Backward& b) { backward(id, scalars, b, 1, {}, y); });
  else if constexpr (F::linear)
    record(F::name, {x...}, {y}, [scalars](Backward& b) { backward(id, scalars, b, arity, {}, Tensor()); });
  else
    record(F::name, {x...}, {y}, [... x = Saved(x), scalars](Backward& b) {
      backward(id, scalars, b, arity, std::array{&x.get()...}, Tensor());
    });
  return y;
}

namespace p = pointwise;

}  // namespace

Tensor add(const Tensor& x, const Tensor& y) {
  if (x.shape() != y.shape() || detail::needs_f32(x)) return apply<p::Add>({}, x, y);
  Tensor z = forward(pointwise::id_of<p::Add>, "add", std::array{&x, &y}, {});
  record("add", {x, y}, {z}, [](Backward& b) {
    b.add(0, b.dy());  // both take the one buffer; whoever adds to it first makes a copy
    b.add(1, b.dy());
  });
  return z;
}

Tensor sub(const Tensor& x, const Tensor& y) { return apply<p::Sub>({}, x, y); }
Tensor mul(const Tensor& x, const Tensor& y) { return apply<p::Mul>({}, x, y); }
Tensor div(const Tensor& x, const Tensor& y) { return apply<p::Div>({}, x, y); }
Tensor affine(const Tensor& x, double a, double b) { return apply<p::Affine>({a, b}, x); }
Tensor neg(const Tensor& x) { return apply<p::Neg>({}, x); }
Tensor reciprocal(const Tensor& x) { return apply<p::Reciprocal>({}, x); }
Tensor square(const Tensor& x) { return apply<p::Square>({}, x); }
Tensor abs(const Tensor& x) { return apply<p::Abs>({}, x); }
Tensor maximum(const Tensor& x, const Tensor& y) { return apply<p::Maximum>({}, x, y); }
Tensor minimum(const Tensor& x, const Tensor& y) { return apply<p::Minimum>({}, x, y); }
Tensor clamp(const Tensor& x, double low, double high) {
  require(low <= high, "clamp", "low ", low, " is above high ", high);
  return apply<p::Clamp>({low, high}, x);
}
Tensor exp(const Tensor& x) { return apply<p::Exp>({}, x); }
Tensor log(const Tensor& x) { return apply<p::Log>({}, x); }
Tensor sqrt(const Tensor& x) { return apply<p::Sqrt>({}, x); }
Tensor rsqrt(const Tensor& x) { return apply<p::Rsqrt>({}, x); }
Tensor pow(const Tensor& x, const Tensor& y) { return apply<p::Pow>({}, x, y); }
Tensor pow(const Tensor& x, double y) { return apply<p::PowScalar>({y, 0}, x); }
Tensor sin(const Tensor& x) { return apply<p::Sin>({}, x); }
Tensor cos(const Tensor& x) { return apply<p::Cos>({}, x); }
Tensor tanh(const Tensor& x) { return apply<p::Tanh>({}, x); }
Tensor sigmoid(const Tensor& x) { return apply<p::Sigmoid>({}, x); }
Tensor relu(const Tensor& x) { return apply<p::Relu>({}, x); }
Tensor leaky_relu(const Tensor& x, double slope) { return apply<p::LeakyRelu>({slope, 0}, x); }
Tensor elu(const Tensor& x, double alpha) { return apply<p::Elu>({alpha, 0}, x); }
Tensor silu(const Tensor& x) { return apply<p::Silu>({}, x); }
Tensor gelu(const Tensor& x) { return apply<p::Gelu>({}, x); }
Tensor gelu_tanh(const Tensor& x) { return apply<p::GeluTanh>({}, x); }
Tensor softplus(const Tensor& x) { return apply<p::Softplus>({}, x); }
Tensor erf(const Tensor& x) { return apply<p::Erf>({}, x); }
Tensor lerp(const Tensor& x, const Tensor& y, const Tensor& g) { return apply<p::Lerp>({}, x, y, g); }
Tensor mul_add(const Tensor& x, const Tensor& y, const Tensor& z) { return apply<p::MulAdd>({}, x, y, z); }

}  // namespace fovea
