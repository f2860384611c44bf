#include "fovea/ops/linear.h"

#include <vector>

#include "fovea/core/arithmetic.h"
#include "fovea/kernels/join.h"
#include "fovea/kernels/linear.h"
#include "fovea/kernels/pointwise.h"
#include "fovea/ops/by_f32.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

constexpr Index few_rows = 64;

using Pairs = std::span<const std::pair<Tensor, Tensor>>;

// All first (second) members, one below the other: [R,C].
template <class Get>
Tensor stacked(Pairs pairs, Get get) {
  const Tensor& first = get(pairs[0]);
  if (pairs.size() == 1) return first;
  Index rows = 0;
  for (const auto& p : pairs) rows += get(p).shape()[0];
  const Tensor out = Tensor::empty({rows, first.shape()[1]}, first.dtype(), first.device());
  std::vector<View> parts;
  for (const auto& p : pairs) parts.push_back(view_of(get(p)));
  std::visit([&](auto d) { join(d, parts, view_of(out)); }, out.device());
  return out;
}

void flush_products(Tensor& dw, Pairs pairs) {
  const Tensor dy = stacked(pairs, [](const auto& p) -> const Tensor& { return p.first; });
  const Tensor x = stacked(pairs, [](const auto& p) -> const Tensor& { return p.second; });
  std::visit([&](auto d) { linear_weight_gradient(d, view_of(dy), view_of(x), view_of(dw), Into::add); },
             dw.device());
}

void flush_sums(Tensor& db, Pairs pairs) {
  const auto add = [&](const Tensor& dy) {
    std::visit([&](auto d) { linear_bias_gradient(d, view_of(dy), view_of(db), Into::add); }, db.device());
  };
  if (is_cpu(db.device()))  // where a call costs less than the copy
    for (const auto& p : pairs) add(p.first);
  else
    add(stacked(pairs, [](const auto& p) -> const Tensor& { return p.first; }));
}

// An activation's place in the list of pointwise ops.
int id_of(Activation activation) {
  namespace p = pointwise;
  constexpr int ids[] = {no_activation, p::id_of<p::Relu>, p::id_of<p::Gelu>, p::id_of<p::GeluTanh>};
  return ids[static_cast<int>(activation)];
}

// du = dy f'(u), from u or, for relu, from y.
Tensor activation_gradient(int id, const Tensor& dy, const Tensor& kept) {
  if (id == no_activation) return dy;
  const Tensor du = Tensor::empty(dy.shape(), dy.dtype(), dy.device());
  const View known[] = {view_of(kept)};
  const Target target[] = {{view_of(du), Into::set}};
  std::visit([&](auto d) { pointwise_backward(d, id, known, {}, known[0], view_of(dy), target); },
             dy.device());
  return du;
}

}  // namespace

void detail::add_weight_gradient(Backward& b, int input, const Tensor& dy, const Tensor& x) {
  if (!b.wants(input) || dy.numel() == 0) return;
  if (dy.shape()[0] <= few_rows) return b.defer(input, dy, x, flush_products);
  const Backward::Target dw = b.target(input);
  std::visit([&](auto d) { linear_weight_gradient(d, view_of(dy), view_of(x), view_of(dw.dx), dw.into); },
             dw.dx.device());
}

void detail::add_bias_gradient(Backward& b, int input, const Tensor& dy) {
  if (!b.wants(input) || dy.numel() == 0) return;
  if (dy.shape()[0] <= few_rows) return b.defer(input, dy, Tensor(), flush_sums);
  const Backward::Target db = b.target(input);
  std::visit([&](auto d) { linear_bias_gradient(d, view_of(dy), view_of(db.dx), db.into); }, db.dx.device());
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
  if (detail::needs_f32(x))
    return detail::by_f32([&](const Tensor& wide) { return linear(wide, weight, bias, activation); }, x);
  require(weight.rank() == 2, "linear", "weight must be [out,in], got ", weight.shape());
  require(x.rank() >= 1 && x.size(-1) == weight.size(1), "linear", "input ", x.shape(),
          " does not end in the weight's ", weight.size(1), " inputs (weight ", weight.shape(), ")");
  detail::require_one_device("linear", {x, weight, bias});
  const DType dtype = detail::parameter_type(x);
  require(weight.dtype() == dtype, "linear", "types differ: input ", x.dtype(), ", weight ", weight.dtype());
  require(!bias.defined() || (bias.shape() == Shape{weight.size(0)} && bias.dtype() == dtype), "linear",
          "bias ", bias.defined() ? bias.shape() : Shape{}, " must have one ", dtype, " for each of the ",
          weight.size(0), " outputs");
  const Tensor in = detail::packed(x), w = detail::factor_beside(x, weight);
  const Tensor b = bias.defined() ? detail::packed(bias) : bias;
  const Shape flat{x.shape().erased(x.rank() - 1).numel(), weight.size(1)};
  Tensor y = Tensor::empty(x.shape().replaced(x.rank() - 1, weight.size(0)), x.dtype(), x.device());
  const Tensor x2 = in.view(flat, row_major_strides(flat), 0);
  Tensor u;
  if (activation > Activation::relu && Tape::current()) u = Tensor::empty(y.shape(), y.dtype(), y.device());
  const int id = id_of(activation);
  std::visit(
      [&](auto d) { linear_forward(d, view_of(x2), view_of(w), view_of(b), view_of(y), id, view_of(u)); },
      y.device());
  const Tensor kept = activation == Activation::relu ? y : u;
  record("linear", {x, weight, bias}, {y},
         [id, x = Saved(x2), w = Saved(w), kept = Saved(kept)](Backward& b) {
           const Shape rows{x->size(0), w->size(0)};
           const Tensor du = activation_gradient(id, b.dy(), kept).view(rows, row_major_strides(rows), 0);
           if (b.wants(0)) {
             const Backward::Target dx = b.target(0);
             std::visit(
                 [&](auto d) {
                   linear_input_gradient(d, view_of(du), view_of(w.get()), view_of(dx.dx), dx.into);
                 },
                 du.device());
           }
           detail::add_weight_gradient(b, 1, du, x);
           detail::add_bias_gradient(b, 2, du);
         });
  return y;
}

}  // namespace fovea
