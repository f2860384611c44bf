#include "fovea/models/layers/transformer.h"

#include "fovea/ops/pointwise.h"

namespace fovea {
namespace {

using Call = MultiHeadAttention::Call;

MultiHeadAttention attention(const TransformerOptions& o, Generator& random) {
  return MultiHeadAttention({.embed_dim = o.embed_dim,
                             .num_heads = o.num_heads,
                             .bias = o.bias,
                             .dropout = o.dropout,
                             .dtype = o.dtype},
                            random);
}

LayerNorm norm_of(const TransformerOptions& o) {
  return LayerNorm({.features = o.embed_dim, .eps = o.eps, .bias = o.bias, .dtype = o.dtype});
}

// x with a sub-layer's contribution, before or after the norm.
template <class F>
Tensor residual(const Tensor& x, const LayerNorm& norm, const Dropout& dropout, bool norm_first,
                F&& sublayer) {
  if (norm_first) return x + dropout.forward(sublayer(norm.forward(x)));
  return norm.forward(x + dropout.forward(sublayer(x)));
}

void check_layers(int num_layers) {
  require(num_layers > 0, "Transformer", "num_layers is ", num_layers, "; it must be at least 1");
}

}  // namespace

FeedForwardPart::FeedForwardPart(const TransformerOptions& o, Generator& random)
    : linear1({.in_features = o.embed_dim, .out_features = o.feedforward, .bias = o.bias, .dtype = o.dtype},
              random),
      linear2({.in_features = o.feedforward, .out_features = o.embed_dim, .bias = o.bias, .dtype = o.dtype},
              random),
      activation(o.activation),
      dropout{o.dropout, {}} {}

Tensor FeedForwardPart::forward(const Tensor& x) const {
  return linear2.forward(dropout.forward(linear1.forward(x, activation)));
}

TransformerEncoderLayer::TransformerEncoderLayer(const TransformerOptions& o, Generator& random)
    : self_attn(attention(o, random)),
      feedforward(o, random),
      norm1(norm_of(o)),
      norm2(norm_of(o)),
      dropout{o.dropout, {}},
      norm_first(o.norm_first) {}

Tensor TransformerEncoderLayer::forward(const Tensor& x, const Call& call) const {
  const Tensor y =
      residual(x, norm1, dropout, norm_first, [&](const Tensor& h) { return self_attn.forward(h, call); });
  return residual(y, norm2, dropout, norm_first, [&](const Tensor& h) { return feedforward.forward(h); });
}

TransformerDecoderLayer::TransformerDecoderLayer(const TransformerOptions& o, Generator& random)
    : self_attn(attention(o, random)),
      multihead_attn(attention(o, random)),
      feedforward(o, random),
      norm1(norm_of(o)),
      norm2(norm_of(o)),
      norm3(norm_of(o)),
      dropout{o.dropout, {}},
      norm_first(o.norm_first) {}

Tensor TransformerDecoderLayer::forward(const Tensor& x, const Tensor& memory, const Call& call) const {
  const Tensor y = residual(x, norm1, dropout, norm_first,
                            [&](const Tensor& h) { return self_attn.forward(h, call.self); });
  const Tensor z = residual(y, norm2, dropout, norm_first,
                            [&](const Tensor& h) { return multihead_attn.forward(h, memory, call.cross); });
  return residual(z, norm3, dropout, norm_first, [&](const Tensor& h) { return feedforward.forward(h); });
}

TransformerEncoder::TransformerEncoder(const TransformerOptions& o, int num_layers, Generator& random,
                                       bool with_norm)
    : final_norm(with_norm) {
  check_layers(num_layers);
  for (int i = 0; i < num_layers; ++i) layers.emplace_back(o, random);
  if (final_norm) norm = norm_of(o);
}

Tensor TransformerEncoder::forward(const Tensor& x, const Tensor& keep_mask,
                                   std::vector<Tensor>* weights) const {
  Tensor y = x;
  if (weights) weights->assign(layers.size(), {});
  for (std::size_t i = 0; i < layers.size(); ++i)
    y = layers[i].forward(y, {.keep_mask = keep_mask, .weights = weights ? &(*weights)[i] : nullptr});
  return final_norm ? norm.forward(y) : y;
}

void DecoderCache::reorder(const Tensor& rows) {
  for (auto* caches : {&self, &cross})
    for (KvCache& c : *caches) c.reorder(rows);
}

TransformerDecoder::TransformerDecoder(const TransformerOptions& o, int num_layers, Generator& random,
                                       bool with_norm)
    : final_norm(with_norm) {
  check_layers(num_layers);
  for (int i = 0; i < num_layers; ++i) layers.emplace_back(o, random);
  if (final_norm) norm = norm_of(o);
}

DecoderCache TransformerDecoder::cache(Index batch, Index length) const {
  DecoderCache out;
  for (const TransformerDecoderLayer& layer : layers)
    out.self.push_back(layer.self_attn.cache(batch, length));
  out.cross.resize(layers.size());  // filled from the memory at their first use
  return out;
}

Tensor TransformerDecoder::forward(const Tensor& x, const Tensor& memory, const Call& call) const {
  Tensor y = x;
  if (call.cross_weights) call.cross_weights->assign(layers.size(), {});
  for (std::size_t i = 0; i < layers.size(); ++i) {
    KvCache *self = call.cache ? &call.cache->self[i] : nullptr,
            *cross = call.cache ? &call.cache->cross[i] : nullptr;
    y = layers[i].forward(y, memory,
                          {{.keep_mask = call.keep_mask, .causal = true, .cache = self},
                           {.keep_mask = call.memory_keep_mask,
                            .cache = cross,
                            .weights = call.cross_weights ? &(*call.cross_weights)[i] : nullptr}});
  }
  return final_norm ? norm.forward(y) : y;
}

}  // namespace fovea
