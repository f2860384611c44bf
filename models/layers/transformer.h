#ifndef FOVEA_MODELS_LAYERS_TRANSFORMER_H_
#define FOVEA_MODELS_LAYERS_TRANSFORMER_H_

#include <vector>

#include "fovea/models/layers/layer_norm.h"
#include "fovea/models/layers/multi_head_attention.h"

/// The Transformer (Vaswani et al. 2017): its two layers, stacks of them, and both stacks together. Shapes
/// are [B,L,E]. Parameters are named as torch.nn.TransformerEncoderLayer and its siblings name them.

namespace fovea {

struct TransformerOptions {
  Index embed_dim = 0;  ///< E
  Index num_heads = 1;
  Index feedforward = 2048;  ///< the width between a layer's two linear layers
  double dropout = 0.1;      ///< of attention weights, of what `activation` gives, and of every sub-layer
  Activation activation = Activation::relu;
  /// false: norm(x + sublayer(x)), as in the paper. true: x + sublayer(norm(x)), which trains without a
  /// warm-up; a stack then needs a norm at its end.
  bool norm_first = false;
  double eps = 1e-5;  ///< of the norms
  bool bias = true;
  DType dtype = DType::f32;
};

/// linear, activation, dropout, linear, as the layers below have them: parameters linear1 and linear2.
struct FeedForwardPart {
  Linear linear1, linear2;
  Activation activation = Activation::relu;
  Dropout dropout;

  FeedForwardPart() = default;
  FeedForwardPart(const TransformerOptions& o, Generator& random);
  Tensor forward(const Tensor& x) const;
  void each(Visitor& v) {
    v("linear1", linear1);
    v("linear2", linear2);
    dropout.each(v);
  }
};

/// Self-attention, then the feed-forward part.
struct TransformerEncoderLayer {
  MultiHeadAttention self_attn;
  FeedForwardPart feedforward;
  LayerNorm norm1, norm2;
  Dropout dropout;
  bool norm_first = false;

  TransformerEncoderLayer() = default;
  TransformerEncoderLayer(const TransformerOptions& o, Generator& random);

  Tensor forward(const Tensor& x, const MultiHeadAttention::Call& call) const;
  Tensor forward(const Tensor& x) const { return forward(x, {}); }

  void each(Visitor& v) {
    v("self_attn", self_attn);
    feedforward.each(v);
    v("norm1", norm1);
    v("norm2", norm2);
    dropout.each(v);
  }
};

/// Self-attention, attention to the encoder's output, then the feed-forward part.
struct TransformerDecoderLayer {
  /// What a forward may be given; self-attention is causal unless said otherwise.
  struct Call {
    MultiHeadAttention::Call self = {.causal = true}, cross = {};
  };

  MultiHeadAttention self_attn, multihead_attn;
  FeedForwardPart feedforward;
  LayerNorm norm1, norm2, norm3;
  Dropout dropout;
  bool norm_first = false;

  TransformerDecoderLayer() = default;
  TransformerDecoderLayer(const TransformerOptions& o, Generator& random);

  Tensor forward(const Tensor& x, const Tensor& memory, const Call& call) const;
  Tensor forward(const Tensor& x, const Tensor& memory) const { return forward(x, memory, Call{}); }

  void each(Visitor& v) {
    v("self_attn", self_attn);
    v("multihead_attn", multihead_attn);
    feedforward.each(v);
    v("norm1", norm1);
    v("norm2", norm2);
    v("norm3", norm3);
    dropout.each(v);
  }
};

/// Encoder layers, and a norm at the end when `final_norm`.
struct TransformerEncoder {
  std::vector<TransformerEncoderLayer> layers;
  LayerNorm norm;  ///< without parameters when there is none
  bool final_norm = true;

  TransformerEncoder() = default;
  TransformerEncoder(const TransformerOptions& o, int num_layers, Generator& random, bool final_norm = true);

  /// keep_mask: u8, broadcasts to [B,H,L,L]. `weights`, when asked for, takes one [B,H,L,L] a layer.
  Tensor forward(const Tensor& x, const Tensor& keep_mask = {}, std::vector<Tensor>* weights = nullptr) const;

  void each(Visitor& v) {
    v("layers", layers);
    if (final_norm) v("norm", norm);
  }
};

/// What decoding a token at a time keeps of every layer.
struct DecoderCache {
  std::vector<KvCache> self, cross;
  /// See KvCache::reorder().
  void reorder(const Tensor& rows);
};

/// Decoder layers, and a norm at the end when `final_norm`.
struct TransformerDecoder {
  /// What a forward may be given.
  struct Call {
    Tensor keep_mask = {};         ///< of the target with itself; later targets are hidden in any case
    Tensor memory_keep_mask = {};  ///< u8, broadcasts to [B,H,Lq,Lk]: [B,1,1,Lk] hides padding
    DecoderCache* cache = nullptr;
    std::vector<Tensor>* cross_weights = nullptr;  ///< takes one [B,H,Lq,Lk] a layer
  };

  std::vector<TransformerDecoderLayer> layers;
  LayerNorm norm;
  bool final_norm = true;

  TransformerDecoder() = default;
  TransformerDecoder(const TransformerOptions& o, int num_layers, Generator& random, bool final_norm = true);

  Tensor forward(const Tensor& x, const Tensor& memory, const Call& call) const;
  Tensor forward(const Tensor& x, const Tensor& memory) const { return forward(x, memory, Call{}); }
  /// An empty cache for `batch` targets of up to `length` tokens.
  DecoderCache cache(Index batch, Index length) const;

  void each(Visitor& v) {
    v("layers", layers);
    if (final_norm) v("norm", norm);
  }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_TRANSFORMER_H_
