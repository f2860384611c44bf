#ifndef FOVEA_OPS_ATTENTION_H_
#define FOVEA_OPS_ATTENTION_H_

#include <optional>

#include "fovea/core/generator.h"
#include "fovea/core/tensor.h"

namespace fovea {

struct AttentionOptions {
  Tensor keep_mask = {};             ///< u8, broadcasts to [B,H,Lq,Lk]: 1 means attend
  bool causal = false;               ///< query i sees the keys up to i + Lk - Lq: the last query sees all
  Tensor bias = {};                  ///< added to the scores; broadcasts to [B,H,Lq,Lk]; takes a gradient
  double dropout = 0;                ///< the weights are dropped as dropout() would, 0 <= p < 1
  Generator* random = nullptr;       ///< needed for dropout; takes B H Lq Lk numbers
  std::optional<double> scale = {};  ///< 1 / sqrt(D) unless set
};

/// Scaled dot-product attention (Vaswani et al. 2017, eq. 1) of q [B,H,Lq,D], k [B,G,Lk,D], v [B,G,Lk,E]:
///   y = dropout(w) v [B,H,Lq,E],  w = softmax(scale q k^T + bias) over the keys that are kept
/// G = H, or a divisor of it: then H / G neighbouring heads share keys and values (grouped queries, Ainslie
/// et al. 2023). A query that may attend to no key gets 0, and a gradient of 0.
///   dv = w^T dy,  ds = w (dy v^T - dy . y),  dq = scale ds k,  dk = scale ds^T q,  dbias = ds summed
/// Scores are made a tile at a time, in forward and again in backward, and never stored: memory is linear in
/// the length. Views are read as they lie. y lies in memory as [B,Lq,H,E], so that joining its heads is free.
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options = {});

/// The same, with the weights (after dropout): composed of matmul(), softmax() and dropout(), so that memory
/// is B H Lq Lk. Both results are differentiable.
struct WeightedAttention {
  Tensor output;   ///< [B,H,Lq,E]
  Tensor weights;  ///< [B,H,Lq,Lk]
};
WeightedAttention attention_with_weights(const Tensor& q, const Tensor& k, const Tensor& v,
                                         const AttentionOptions& options = {});

/// How many heads lie side by side in the output of a projection.
struct Heads {
  Index queries;   ///< H
  Index keys = 0;  ///< G, of keys and values; 0: as many
};

/// scaled_dot_product_attention() between projections: qkv [B,L,(H + 2 G) D] holds the heads of the queries,
/// then those of the keys, then those of the values -> [B,L,H D]. Nothing is split, transposed or joined.
Tensor self_attention(const Tensor& qkv, const Heads& heads, const AttentionOptions& options = {});
/// The same from q [B,Lq,H D] to kv [B,Lk,2 G D], keys then values -> [B,Lq,H D].
Tensor cross_attention(const Tensor& q, const Tensor& kv, const Heads& heads,
                       const AttentionOptions& options = {});

}  // namespace fovea

#endif  // FOVEA_OPS_ATTENTION_H_
