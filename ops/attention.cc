#include "fovea/ops/attention.h"

#include <array>
#include <cmath>

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/attention.h"
#include "fovea/kernels/copy.h"
#include "fovea/ops/by_f32.h"
#include "fovea/ops/compare.h"
#include "fovea/ops/create.h"
#include "fovea/ops/dropout.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/one_device.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"

namespace fovea {
namespace {

// What q, k and v are in the tensors given: tensors of their own, or heads side by side in the last dimension
// of one tensor (q, k and v) or of two (q; k and v).
struct Layout {
  enum Kind { separate, self, cross } kind = separate;
  Index H = 0, G = 0, D = 0;
};

struct Views {
  View q, k, v;
};

// Of x [B,L,..], the heads from number `first` on: [B,heads,L,D].
View heads_of(View x, Index first, Index heads, Index D) {
  if (!x) return x;
  x.data = static_cast<std::byte*>(x.data) + static_cast<std::size_t>(first * D) * size_of(x.dtype);
  const Shape shape = x.shape, strides = x.strides;
  x.shape = {shape[0], heads, shape[1], D};
  x.strides = {strides[0], D, strides[1], 1};
  x.packed = false;
  return x;
}

Views views_of(const Layout& l, const View& x, const View& y, const View& z) {
  if (l.kind == Layout::separate) return {x, y, z};
  const bool self = l.kind == Layout::self;
  const Index first = self ? l.H : 0;
  const View& memory = self ? x : y;
  return {heads_of(x, 0, l.H, l.D), heads_of(memory, first, l.G, l.D),
          heads_of(memory, first + l.G, l.G, l.D)};
}

// A view, whose sizes of 1 may stretch, as one of the shape that it broadcasts to.
View stretched(const View& x, const Shape& to) {
  if (!x) return x;
  View v{x.data, x.dtype, to, to};
  const int shift = to.rank() - x.shape.rank();
  for (int d = 0; d < to.rank(); ++d) {
    const int from = d - shift;
    v.strides[d] = from < 0 || (x.shape[from] == 1 && to[d] != 1) ? 0 : x.strides[from];
  }
  return v;
}

// x itself when the elements of its rows lie side by side.
Tensor with_unit_stride(const Tensor& x) {
  return !x.defined() || x.contiguous() || x.strides().back() == 1 ? x : detail::packed(x);
}

void check_options(const char* op, const Shape& scores, DType dtype, const AttentionOptions& o) {
  const auto fits = [&](const Tensor& t) { return broadcast(op, t.shape(), scores) == scores; };
  const Tensor &keep = o.keep_mask, &bias = o.bias;
  if (keep.defined()) {
    require(keep.dtype() == DType::u8, op, "keep_mask is ", keep.dtype(), "; it must be u8, 1 for attend");
    require(fits(keep), op, "keep_mask ", keep.shape(), " is larger than the scores ", scores);
  }
  if (bias.defined()) {
    require(bias.dtype() == dtype, op, "bias is ", bias.dtype(), " and q ", dtype, "; cast() one of them",
            bias.dtype() == DType::u8 ? " (or is it the keep_mask?)" : "");
    require(fits(bias), op, "bias ", bias.shape(), " is larger than the scores ", scores);
  }
  require(o.dropout >= 0 && o.dropout < 1, op, "dropout is ", o.dropout, "; it must be in [0, 1)");
  require(o.dropout == 0 || o.random, op, "dropout needs random numbers; set AttentionOptions::random");
}

void check_separate(const char* op, const Tensor& q, const Tensor& k, const Tensor& v) {
  require(q.rank() == 4 && k.rank() == 4 && v.rank() == 4, op, "q ", q.shape(), ", k ", k.shape(), " and v ",
          v.shape(), " must be [B,H,L,D]");
  require(q.size(0) == k.size(0) && q.size(3) == k.size(3), op, "q ", q.shape(), " and k ", k.shape(),
          " must agree in batch and last dimension");
  require(k.size(0) == v.size(0) && k.size(1) == v.size(1) && k.size(2) == v.size(2), op, "k ", k.shape(),
          " and v ", v.shape(), " must agree in all but the last dimension");
  require(k.size(1) > 0 ? q.size(1) % k.size(1) == 0 : q.size(1) == 0, op, "the ", k.size(1),
          " heads of k must divide the ", q.size(1), " of q");
  require(q.dtype() == k.dtype() && q.dtype() == v.dtype(), op, "types differ: q ", q.dtype(), ", k ",
          k.dtype(), ", v ", v.dtype());
}

// The result for the tensors that hold q, k and v: [B,H,Lq,E] when they are separate, else [B,Lq,H E].
Tensor attend(const char* op, const Layout& layout, const std::array<Tensor, 3>& given,
              const AttentionOptions& o) {
  const Tensor x = with_unit_stride(given[0]), m = with_unit_stride(given[1]), v = with_unit_stride(given[2]);
  const Views in = views_of(layout, view_of(x), view_of(m), view_of(v));
  if (detail::is_bf16(x) &&
      (o.bias.defined() ||
       !std::visit([&](auto d) { return attention_takes_bf16(d, in.q, in.k, in.v); }, x.device())))
    return detail::by_f32(
        [&](const Tensor& x, const Tensor& y, const Tensor& z) {
          AttentionOptions wide = o;
          wide.bias = detail::widened(o.bias);
          return attend(op, layout, {x, y, z}, wide);
        },
        given[0], given[1], given[2]);
  const Index B = in.q.shape[0], H = in.q.shape[1], Lq = in.q.shape[2], Lk = in.k.shape[2], E = in.v.shape[3];
  const Shape scores{B, H, Lq, Lk};
  check_options(op, scores, x.dtype(), o);
  detail::require_one_device(op, {x, m, v, o.keep_mask, o.bias});
  const double D = static_cast<double>(std::max<Index>(in.q.shape[3], 1)),
               scale = o.scale.value_or(1 / std::sqrt(D));
  const RandomState random =
      o.dropout > 0 ? take_words(*o.random, scores.numel(), x.device()) : RandomState{};
  const auto pack = [scores, scale, random, causal = o.causal, dropout = o.dropout](
                        const Views& v, const Tensor& keep, const Tensor& bias) {
    return Attention{
        v.q,   v.k,     v.v,   stretched(view_of(keep), scores), stretched(view_of(bias), scores), causal,
        scale, dropout, random};
  };
  const Tensor y = Tensor::empty({B, Lq, H * E}, x.dtype(), x.device());
  const Tensor log_sums = Tensor::empty({B, H, Lq}, detail::parameter_type(x), x.device());
  const auto by_head = [H, E](const Tensor& t) { return heads_of(view_of(t), 0, H, E); };
  std::visit(
      [&](auto d) { attention_forward(d, pack(in, o.keep_mask, o.bias), by_head(y), view_of(log_sums)); },
      x.device());
  const bool separate = layout.kind == Layout::separate, self = layout.kind == Layout::self;
  const Tensor out = separate ? y.view({B, H, Lq, E}, {Lq * H * E, E, H * E, 1}, 0) : y;
  record(op, {given[0], given[1], given[2], o.bias}, {out},
         [=, x = Saved(x), m = Saved(m), v = Saved(v), keep = Saved(o.keep_mask), bias = Saved(o.bias),
          y = Saved(y)](Backward& b) {
           const View dy = separate ? view_of(b.dy()) : by_head(b.dy());
           const Target t0 = target_of(b, 0), t1 = target_of(b, 1), t2 = target_of(b, 2);
           const Views dx = views_of(layout, t0.dx, t1.dx, t2.dx);
           const Target dq{dx.q, t0.into}, dk{dx.k, self ? t0.into : t1.into},
               dv{dx.v, self       ? t0.into
                        : separate ? t2.into
                                   : t1.into};
           const Target t3 = target_of(b, 3);
           const Views in = views_of(layout, view_of(x.get()), view_of(m.get()), view_of(v.get()));
           std::visit(
               [&](auto d) {
                 if (t3 && t3.into == Into::set) fill(d, t3.dx, 0);
                 attention_backward(d, pack(in, keep, bias), by_head(y), view_of(log_sums), dy, dq, dk, dv,
                                    stretched(t3.dx, scores));
               },
               x->device());
         });
  return out;
}

// The heads of [B,G,L,D] repeated H / G times each.
Tensor repeated(const Tensor& x, Index H) {
  const Index B = x.size(0), G = x.size(1), L = x.size(2), D = x.size(3);
  if (G == H) return x;
  return reshape(expand(unsqueeze(x, 2), {B, G, H / G, L, D}), {B, H, L, D});
}

// u8 [Lq,Lk]: 1 up to the diagonal that ends in the last corner.
Tensor causal_mask(Index Lq, Index Lk, const Device& device) {
  Tensor mask = Tensor::empty({Lq, Lk}, DType::u8);
  auto* keep = mask.mutable_data<std::uint8_t>();
  for (Index i = 0; i < Lq; ++i)
    for (Index j = 0; j < Lk; ++j) keep[i * Lk + j] = j <= i + Lk - Lq;
  return to(mask, device);
}

// The heads side by side in the last dimension of x: their size.
Index head_size(const char* op, const char* name, const Tensor& x, Index heads) {
  require(x.rank() == 3, op, name, " ", x.shape(), " must be [B,L,heads D]");
  require(heads > 0 && x.size(2) % heads == 0, op, name, " ", x.shape(), " does not hold ", heads,
          " heads: they must divide the last dimension");
  return x.size(2) / heads;
}

Index key_heads(const char* op, const Heads& h) {
  const Index keys = h.keys == 0 ? h.queries : h.keys;
  require(h.queries > 0 && keys > 0 && h.queries % keys == 0, op, "the ", keys,
          " heads of the keys must divide the ", h.queries, " of the queries");
  return keys;
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  constexpr auto op = "scaled_dot_product_attention";
  check_separate(op, q, k, v);
  return attend(op, {}, {q, k, v}, options);
}

Tensor self_attention(const Tensor& qkv, const Heads& heads, const AttentionOptions& options) {
  constexpr auto op = "self_attention";
  const Index G = key_heads(op, heads), D = head_size(op, "qkv", qkv, heads.queries + 2 * G);
  return attend(op, {Layout::self, heads.queries, G, D}, {qkv}, options);
}

Tensor cross_attention(const Tensor& q, const Tensor& kv, const Heads& heads,
                       const AttentionOptions& options) {
  constexpr auto op = "cross_attention";
  const Index G = key_heads(op, heads), D = head_size(op, "q", q, heads.queries);
  require(head_size(op, "kv", kv, 2 * G) == D && q.size(0) == kv.size(0), op, "q ", q.shape(), " and kv ",
          kv.shape(), " must agree in batch and in the size of a head, which is ", D, " in q");
  require(q.dtype() == kv.dtype(), op, "types differ: q ", q.dtype(), ", kv ", kv.dtype());
  return attend(op, {Layout::cross, heads.queries, G, D}, {q, kv}, options);
}

WeightedAttention attention_with_weights(const Tensor& q, const Tensor& k, const Tensor& v,
                                         const AttentionOptions& options) {
  constexpr auto op = "attention_with_weights";
  check_separate(op, q, k, v);
  const Index H = q.size(1), Lq = q.size(2), Lk = k.size(2);
  check_options(op, {q.size(0), H, Lq, Lk}, q.dtype(), options);
  const double D = static_cast<double>(std::max<Index>(q.size(3), 1));
  Tensor scores = matmul(q, transpose(repeated(k, H), 2, 3)) * options.scale.value_or(1 / std::sqrt(D));
  if (options.bias.defined()) scores = scores + options.bias;
  Tensor keep = options.keep_mask;
  if (options.causal) {
    const Tensor seen = causal_mask(Lq, Lk, q.device());
    keep = keep.defined() ? logical_and(keep, seen) : seen;
  }
  Tensor weights = keep.defined() ? masked_softmax(scores, keep) : softmax(scores);
  if (options.dropout > 0) weights = dropout(weights, options.dropout, *options.random);
  return {matmul(weights, repeated(v, H)), weights};
}

}  // namespace fovea
