#include "fovea/models/layers/multi_head_attention.h"

#include "fovea/core/tape.h"
#include "fovea/ops/attention.h"
#include "fovea/ops/create.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/views.h"

namespace fovea {
namespace {

AttentionOptions options_of(const MultiHeadAttention::Call& call, const Dropout& dropout) {
  const bool drops = dropout.mode.training && dropout.p > 0;
  require(!drops || dropout.mode.random, "MultiHeadAttention",
          "training needs random numbers; call training_mode(model, generator)");
  return {.keep_mask = call.keep_mask,
          .causal = call.causal,
          .bias = call.bias,
          .dropout = drops ? dropout.p : 0,
          .random = dropout.mode.random};
}

}  // namespace

void KvCache::reorder(const Tensor& rows) {
  require(keys.defined(), "KvCache", "reorder() of a cache that holds nothing");
  // Only what is set moves.
  for (Tensor* t : {&keys, &values}) {
    const Tensor used = index_select(slice(*t, 2, 0, length), 0, rows);
    if (rows.numel() != t->size(0))
      *t = zeros({rows.numel(), t->size(1), t->size(2), t->size(3)}, t->dtype(), t->device());
    assign(slice(*t, 2, 0, length), used);
  }
}

MultiHeadAttention::MultiHeadAttention(const Options& o, Generator& random)
    : dropout{o.dropout, {}}, heads(o.num_heads), kv_heads(o.kv_heads == 0 ? o.num_heads : o.kv_heads) {
  require(o.embed_dim > 0 && heads > 0 && o.embed_dim % heads == 0, "MultiHeadAttention", "num_heads ", heads,
          " must divide embed_dim ", o.embed_dim);
  require(kv_heads > 0 && heads % kv_heads == 0, "MultiHeadAttention", "kv_heads ", kv_heads,
          " must divide num_heads ", heads);
  require(o.dropout >= 0 && o.dropout < 1, "MultiHeadAttention", "dropout is ", o.dropout,
          "; it must be in [0, 1)");
  const Index rows = (heads + 2 * kv_heads) * (o.embed_dim / heads);
  in_proj_weight = Parameter(Tensor::empty({rows, o.embed_dim}, o.dtype));
  init::xavier_uniform(in_proj_weight, random);
  if (o.bias) in_proj_bias = Parameter(zeros({rows}, o.dtype));
  out_proj = Linear(
      {.in_features = o.embed_dim, .out_features = o.embed_dim, .bias = o.bias, .dtype = o.dtype}, random);
  if (o.bias) init::constant(out_proj.bias, 0);
}

// The projections of x to heads first, ..., first + count - 1.
Tensor MultiHeadAttention::project(const Tensor& x, Index first, Index count) const {
  const Index D = head_size(), all = heads + 2 * kv_heads;
  if (count == all) return linear(x, in_proj_weight, in_proj_bias);
  const auto part = [=](const Tensor& t) {
    return t.defined() ? slice(t, 0, first * D, (first + count) * D) : Tensor();
  };
  return linear(x, part(in_proj_weight), part(in_proj_bias));
}

// Of [B,L,heads D], some heads as [B,count,L,D].
Tensor MultiHeadAttention::heads_of(const Tensor& x, Index first, Index count) const {
  const Index D = head_size();
  const Tensor part = slice(x, 2, first * D, (first + count) * D);
  return transpose(reshape(part, {x.size(0), x.size(1), count, D}), 1, 2);
}

Tensor MultiHeadAttention::attend(const Tensor& q, const Tensor& k, const Tensor& v, const Call& call) const {
  const AttentionOptions options = options_of(call, dropout);
  Tensor y;
  if (call.weights) {
    auto [output, weights] = attention_with_weights(q, k, v, options);
    y = output;
    *call.weights = weights;
  } else {
    y = scaled_dot_product_attention(q, k, v, options);
  }
  return out_proj.forward(reshape(transpose(y, 1, 2), {q.size(0), q.size(2), heads * head_size()}));
}

KvCache MultiHeadAttention::cache(Index batch, Index length) const {
  const Shape shape{batch, kv_heads, length, head_size()};
  const auto none = [&] { return zeros(shape, in_proj_weight.dtype(), in_proj_weight.device()); };
  return {none(), none(), 0};
}

void MultiHeadAttention::append(const Tensor& keys, const Tensor& values, KvCache& cache) const {
  require(!Tape::current(), "MultiHeadAttention",
          "a cache is for inference; there is a live Tape, and nothing can be recorded");
  const Index begin = cache.length, end = begin + keys.size(2);
  require(cache.keys.defined() && cache.keys.size(0) == keys.size(0), "MultiHeadAttention", "the cache ",
          cache.keys.defined() ? cache.keys.shape() : Shape{}, " is not for ", keys.size(0),
          " sequences; make it with cache()");
  require(end <= cache.keys.size(2), "MultiHeadAttention", "the cache holds ", cache.keys.size(2),
          " positions, and ", end, " are needed");
  assign(slice(cache.keys, 2, begin, end), keys);
  assign(slice(cache.values, 2, begin, end), values);
  cache.length = end;
}

Tensor MultiHeadAttention::forward(const Tensor& x, const Call& call) const {
  require(x.rank() == 3 && x.size(2) == in_proj_weight.size(1), "MultiHeadAttention", "x ", x.shape(),
          " must be [B,L,", in_proj_weight.size(1), "]");
  const Tensor qkv = project(x, 0, heads + 2 * kv_heads);
  if (!call.cache && !call.weights)
    return out_proj.forward(self_attention(qkv, {heads, kv_heads}, options_of(call, dropout)));
  Tensor k = heads_of(qkv, heads, kv_heads), v = heads_of(qkv, heads + kv_heads, kv_heads);
  if (call.cache) {
    append(k, v, *call.cache);
    k = slice(call.cache->keys, 2, 0, call.cache->length);
    v = slice(call.cache->values, 2, 0, call.cache->length);
  }
  return attend(heads_of(qkv, 0, heads), k, v, call);
}

Tensor MultiHeadAttention::forward(const Tensor& x, const Tensor& memory, const Call& call) const {
  const Index E = in_proj_weight.size(1);
  require(x.rank() == 3 && memory.rank() == 3 && x.size(2) == E && memory.size(2) == E &&
              x.size(0) == memory.size(0),
          "MultiHeadAttention", "x ", x.shape(), " and memory ", memory.shape(), " must be [B,Lq,", E,
          "] and [B,Lk,", E, "]");
  const Tensor q = project(x, 0, heads);
  if (!call.cache && !call.weights)
    return out_proj.forward(cross_attention(q, project(memory, heads, 2 * kv_heads), {heads, kv_heads},
                                            options_of(call, dropout)));
  Tensor k, v;
  if (!call.cache || call.cache->length == 0) {
    const Tensor kv = project(memory, heads, 2 * kv_heads);
    k = heads_of(kv, 0, kv_heads);
    v = heads_of(kv, kv_heads, kv_heads);
  }
  if (call.cache) {
    if (k.defined()) {
      if (!call.cache->keys.defined()) *call.cache = cache(memory.size(0), memory.size(1));
      append(k, v, *call.cache);
    }
    k = slice(call.cache->keys, 2, 0, call.cache->length);
    v = slice(call.cache->values, 2, 0, call.cache->length);
  }
  return attend(heads_of(q, 0, heads), k, v, call);
}

}  // namespace fovea
