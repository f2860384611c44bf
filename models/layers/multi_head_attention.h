#ifndef FOVEA_MODELS_LAYERS_MULTI_HEAD_ATTENTION_H_
#define FOVEA_MODELS_LAYERS_MULTI_HEAD_ATTENTION_H_

#include "fovea/models/layers/dropout.h"
#include "fovea/models/layers/linear.h"

namespace fovea {

/// The keys and values of what has been read so far, so that the next token costs one row and not the whole
/// sequence again. Made by MultiHeadAttention::cache() or filled by its first use; for inference, without a
/// Tape. Copies share the buffers.
struct KvCache {
  Tensor keys, values;  ///< [B,G,Lmax,D], of which `length` positions are set
  Index length = 0;

  /// Gives batch entry i what entry rows[i] holds (i32 [R]): how beam search keeps its survivors. Where R is
  /// not B the cache gets buffers of its own, for R sequences.
  void reorder(const Tensor& rows);
};

/// Multi-head attention (Vaswani et al. 2017, section 3.2.2) from x [B,Lq,E] to itself or to a memory
/// [B,Lk,E]: H heads of size D = E / H, their outputs side by side through one more linear layer.
/// Starts as PyTorch's: in_proj_weight Xavier, both biases 0, out_proj.weight U(-1/sqrt(E), 1/sqrt(E)).
/// Parameters are named as torch.nn.MultiheadAttention names them; in_proj holds queries, keys and values.
struct MultiHeadAttention {
  struct Options {
    Index embed_dim = 0;  ///< E
    Index num_heads = 1;  ///< H, a divisor of E
    Index kv_heads = 0;   ///< G, a divisor of H: heads of keys and values, shared by H / G; 0: H
    bool bias = true;
    double dropout = 0;  ///< of the attention weights, in training mode
    DType dtype = DType::f32;
  };

  /// What one forward may be given.
  struct Call {
    Tensor keep_mask = {};      ///< u8, broadcasts to [B,H,Lq,Lk]: 1 means attend; of keys alone: [B,1,1,Lk]
    bool causal = false;        ///< see AttentionOptions
    Tensor bias = {};           ///< added to the scores
    KvCache* cache = nullptr;   ///< x continues what it holds; a memory is projected only the first time
    Tensor* weights = nullptr;  ///< takes the weights [B,H,Lq,Lk]
  };

  Parameter in_proj_weight;  ///< [(H + 2 G) D,E]
  Parameter in_proj_bias;    ///< [(H + 2 G) D], or undefined
  Linear out_proj;
  Dropout dropout;
  Index heads = 0, kv_heads = 0;

  MultiHeadAttention() = default;
  MultiHeadAttention(const Options& options, Generator& random);

  /// Self-attention: [B,L,E] -> [B,L,E].
  Tensor forward(const Tensor& x, const Call& call) const;
  Tensor forward(const Tensor& x) const { return forward(x, Call{}); }
  /// Attention from x to a memory: [B,Lq,E] -> [B,Lq,E].
  Tensor forward(const Tensor& x, const Tensor& memory, const Call& call) const;
  Tensor forward(const Tensor& x, const Tensor& memory) const { return forward(x, memory, Call{}); }

  /// An empty cache for `batch` sequences of up to `length` positions.
  KvCache cache(Index batch, Index length) const;

  void each(Visitor& v) {
    v("in_proj_weight", in_proj_weight);
    v("in_proj_bias", in_proj_bias);
    v("out_proj", out_proj);
    dropout.each(v);
  }

 private:
  Index head_size() const { return in_proj_weight.size(0) / (heads + 2 * kv_heads); }
  Tensor project(const Tensor& x, Index first, Index count) const;
  Tensor heads_of(const Tensor& x, Index first, Index count) const;
  Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const Call& call) const;
  void append(const Tensor& keys, const Tensor& values, KvCache& cache) const;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_MULTI_HEAD_ATTENTION_H_
