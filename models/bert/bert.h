#ifndef FOVEA_MODELS_BERT_BERT_H_
#define FOVEA_MODELS_BERT_BERT_H_

#include <vector>

#include "fovea/models/layers/dropout.h"
#include "fovea/models/layers/embedding.h"
#include "fovea/models/layers/layer_norm.h"
#include "fovea/models/layers/linear.h"
#include "fovea/models/layers/rounding.h"

/// BERT (Devlin et al. 2018): a post-norm Transformer encoder over tokens with learned positions, and what
/// guesses the tokens that were masked. MiniLM's encoders are the same network in other sizes. Parameters are
/// named as Hugging Face's BertModel and BertForMaskedLM name them.

namespace fovea::bert {

/// Defaults are BERT base's.
struct Options {
  Index vocabulary = 30522;
  Index positions = 512;  ///< the longest input
  Index segments = 2;     ///< kinds of token: of the first text, of the second
  Index layers = 12;
  Index heads = 12;
  Index hidden = 768;                        ///< E
  Index intermediate = 3072;                 ///< the width between a layer's two last linear layers
  Activation activation = Activation::gelu;  ///< Google's own is gelu_tanh
  double eps = 1e-12;                        ///< of the norms
  double dropout = 0.1;
  double attention_dropout = 0.1;
  bool pooler = true;  ///< has the layer over [CLS]
  bool head = true;    ///< has what guesses masked tokens
  bool tied = true;    ///< the head's output layer is the table of token embeddings
  /// Tokens see only what stands before them: transformers' BertLMHeadModel with is_decoder.
  bool causal = false;
  double deviation = 0.02;  ///< of the first weights
  DType dtype = DType::f32;
  DType activations = DType::f32;  ///< in training: see Rounding
};

/// norm(token + position + segment).
struct Embeddings {
  Embedding word, position, segment;
  LayerNorm norm;
  Dropout dropout;

  Embeddings() = default;
  explicit Embeddings(const Options& o);
  Tensor forward(const Tensor& ids, const Tensor& segments) const;
  void each(Visitor& v);
};

/// y = norm(x + attention(x)), then norm(y + mlp(y)).
struct Layer {
  Linear query, key, value, attention_output, intermediate, output;
  LayerNorm attention_norm, output_norm;
  Dropout dropout, attention_dropout;
  Index heads = 1;
  Activation activation = Activation::gelu;
  bool causal = false;

  Layer() = default;
  explicit Layer(const Options& o);
  /// keep_mask: u8, broadcasts to [B,H,L,L], or undefined. `weights`, if given, takes [B,H,L,L].
  Tensor forward(const Tensor& x, const Tensor& keep_mask, Tensor* weights = nullptr) const;
  void each(Visitor& v);
};

/// What an encoder is given: a batch of token sequences.
struct Input {
  Tensor ids;             ///< i32 [B,L]
  Tensor keep_mask = {};  ///< u8 [B,L], 0 at padding; undefined: there is none
  Tensor segments = {};   ///< i32 [B,L]; undefined: all 0
};

/// Hugging Face's BertModel.
struct Encoder {
  Embeddings embeddings;
  Rounding rounding;
  std::vector<Layer> layers;
  Linear pooler;  ///< without parameters when there is none

  Encoder() = default;
  explicit Encoder(const Options& o);

  /// The last layer's output [B,L,E]; rows of padding hold numbers without meaning. `weights`, if given,
  /// takes one [B,H,L,L] a layer.
  Tensor forward(const Input& input, std::vector<Tensor>* weights = nullptr) const;
  /// tanh(linear(hidden at [CLS])): [B,L,E] -> [B,E]. Throws where there is no pooler.
  Tensor pooled(const Tensor& hidden) const;

  void each(Visitor& v);
};

/// Hugging Face's BertForMaskedLM, or a BertModel alone when the options have no head.
struct Bert {
  Options options;
  Encoder encoder;
  Linear transform;  ///< this and the rest without parameters when there is no head
  LayerNorm transform_norm;
  Linear decoder;  ///< its weight is the token embeddings' when tied

  Bert() = default;
  /// Weights start as N(0, deviation^2) cut at two deviations, biases as 0 and gains as 1.
  Bert(const Options& options, Generator& random);
  /// With weights of no defined value, for who sets them all: reading a file.
  static Bert unset(const Options& options);

  /// The logits of every token of the vocabulary at each of these places: hidden [..,E] -> [..,V]. Throws
  /// where there is no head.
  Tensor guess(const Tensor& hidden) const;
  /// The mean cross-entropy in nats of `tokens` [..] (i32) at these places, hidden [..,E]. The logits never
  /// exist as a whole.
  Tensor loss(const Tensor& hidden, const Tensor& tokens) const;
  /// The same for all of an input: [B,L,V].
  Tensor forward(const Input& input) const { return guess(encoder.forward(input)); }

  void each(Visitor& v);

 private:
  explicit Bert(const Options& options);
  Tensor transformed(const Tensor& hidden) const;
};

}  // namespace fovea::bert

#endif  // FOVEA_MODELS_BERT_BERT_H_
