#ifndef FOVEA_MODELS_GPT_GPT_H_
#define FOVEA_MODELS_GPT_GPT_H_

#include <functional>
#include <span>
#include <vector>

#include "fovea/models/layers/embedding.h"
#include "fovea/models/layers/layer_norm.h"
#include "fovea/models/layers/multi_head_attention.h"
#include "fovea/models/layers/rounding.h"

/// GPT-2 (Radford et al. 2019) as nanoGPT has it: a pre-norm Transformer decoder over tokens, with learned
/// positions and one matrix for the embedding and the output.

namespace fovea::gpt {

struct Options {
  Index vocabulary = 0;     ///< V
  Index block_size = 1024;  ///< T: the longest context
  int layers = 12;
  Index heads = 12;
  Index embed_dim = 768;  ///< E
  double dropout = 0;     ///< of embeddings, attention weights and sub-layers
  bool bias = true;       ///< of linear layers and norms: GPT-2's has them, nanoGPT's presets do not
  Activation activation = Activation::gelu;  ///< of the mlp, as nanoGPT's; GPT-2's is gelu_tanh
  double eps = 1e-5;                         ///< of the norms
  DType dtype = DType::f32;
  DType activations =
      DType::f32;  ///< bf16 between f32 parameters: half the memory, and a GPU's fast products
};

/// x + attention(norm(x)), then x + mlp(norm(x)). Named as in GPT-2: ln_1, attn.c_attn, attn.c_proj, ln_2,
/// mlp.c_fc, mlp.c_proj.
struct Block {
  LayerNorm ln_1, ln_2;
  MultiHeadAttention attn;
  Linear c_fc, c_proj;
  Dropout dropout;
  Activation activation = Activation::gelu;

  Block() = default;
  Block(const Options& o, Generator& random);
  Tensor forward(const Tensor& x, KvCache* cache) const;
  void each(Visitor& v);
};

/// How generate() picks the next token.
struct Sampling {
  double temperature = 1;  ///< logits are divided by it; 0: always the likeliest token
  Index top_k = 0;         ///< only among the k likeliest; 0: all
  double top_p = 1;        ///< only among the likeliest that together reach this probability
};

struct Gpt {
  Gpt() = default;
  /// Weights start as N(0, 0.02^2), those that end a residual branch as N(0, 0.02^2 / (2 layers)), biases as
  /// 0 and gains as 1.
  Gpt(const Options& options, Generator& random);

  /// What comes before the output layer: ids [B,L] (i32) -> [B,L,E]. With caches (one a layer), ids follow
  /// what they hold.
  Tensor hidden(const Tensor& ids, std::vector<KvCache>* caches = nullptr) const;
  /// The logits of the next token at every position: [B,L,V].
  Tensor forward(const Tensor& ids) const;
  /// The mean cross-entropy of `targets` [B,L] in nats; rows of -100 do not count. The logits never exist as
  /// a whole.
  Tensor loss(const Tensor& ids, const Tensor& targets) const;

  /// Goes on from ids [B,L], L >= 1, with `count` tokens: [B,L + count], all on the host. A key and value of
  /// every position are kept, until the context is full: then, as in nanoGPT, every token is predicted from
  /// the last T anew. `on_tokens` is shown the tokens [B] (i32) as they come, and may return false to end at
  /// once.
  Tensor generate(const Tensor& ids, Index count, const Sampling& sampling, Generator& random,
                  const std::function<bool(const Tensor& tokens)>& on_tokens = {}) const;

  void each(Visitor& v);

  Options options;
  Embedding wte;  ///< tokens; also the output layer
  Embedding wpe;  ///< positions
  Dropout dropout;
  Rounding rounding;
  std::vector<Block> h;
  LayerNorm ln_f;
};

/// The next token for every row of logits [B,V]: i32 [B], on the host, where they are drawn. Throws where a
/// row has a NaN or infinity, but for the -inf that rules out a token.
Tensor sample(const Tensor& logits, const Sampling& sampling, Generator& random);

}  // namespace fovea::gpt

#endif  // FOVEA_MODELS_GPT_GPT_H_
