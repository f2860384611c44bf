#include "fovea/models/bert/bert.h"

#include "fovea/ops/attention.h"
#include "fovea/ops/by_f32.h"
#include "fovea/ops/linear_cross_entropy.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"

namespace fovea::bert {
namespace {

// Weights are set later: by init, or from a file.
Linear linear_of(Index in, Index out, DType dtype) {
  Linear layer;
  layer.weight = Parameter(Tensor::empty({out, in}, dtype));
  layer.bias = Parameter(Tensor::empty({out}, dtype));
  return layer;
}

Embedding embedding_of(Index count, const Options& o) {
  Embedding table;
  table.weight = Parameter(Tensor::empty({count, o.hidden}, o.dtype));
  return table;
}

LayerNorm norm_of(const Options& o) {
  return LayerNorm({.features = o.hidden, .eps = o.eps, .dtype = o.dtype});
}

}  // namespace

Embeddings::Embeddings(const Options& o)
    : word(embedding_of(o.vocabulary, o)),
      position(embedding_of(o.positions, o)),
      segment(embedding_of(o.segments, o)),
      norm(norm_of(o)),
      dropout{o.dropout, {}} {}

Tensor Embeddings::forward(const Tensor& ids, const Tensor& segments) const {
  const Tensor places = slice(position.weight, 0, 0, ids.size(1));
  const Tensor kinds = segments.defined() ? segment.forward(segments) : select(segment.weight, 0, 0);
  return dropout.forward(norm.forward(word.forward(ids) + (places + kinds)));
}

void Embeddings::each(Visitor& v) {
  v("word_embeddings", word);
  v("position_embeddings", position);
  v("token_type_embeddings", segment);
  v("LayerNorm", norm);
  dropout.each(v);
}

Layer::Layer(const Options& o)
    : query(linear_of(o.hidden, o.hidden, o.dtype)),
      key(linear_of(o.hidden, o.hidden, o.dtype)),
      value(linear_of(o.hidden, o.hidden, o.dtype)),
      attention_output(linear_of(o.hidden, o.hidden, o.dtype)),
      intermediate(linear_of(o.hidden, o.intermediate, o.dtype)),
      output(linear_of(o.intermediate, o.hidden, o.dtype)),
      attention_norm(norm_of(o)),
      output_norm(norm_of(o)),
      dropout{o.dropout, {}},
      attention_dropout{o.attention_dropout, {}},
      heads(o.heads),
      activation(o.activation),
      causal(o.causal) {}

Tensor Layer::forward(const Tensor& x, const Tensor& keep_mask, Tensor* weights) const {
  const Index B = x.size(0), L = x.size(1), E = x.size(2);
  const auto heads_of = [&](const Linear& projection) {
    return transpose(reshape(projection.forward(x), {B, L, heads, E / heads}), 1, 2);
  };
  const Mode& mode = attention_dropout.mode;
  const AttentionOptions options{.keep_mask = keep_mask,
                                 .causal = causal,
                                 .dropout = mode.training ? attention_dropout.p : 0,
                                 .random = mode.random};
  const Tensor q = heads_of(query), k = heads_of(key), v = heads_of(value);
  Tensor context;
  if (weights) {
    auto [output, w] = attention_with_weights(q, k, v, options);
    context = output;
    *weights = w;
  } else {
    context = scaled_dot_product_attention(q, k, v, options);
  }
  context = attention_output.forward(reshape(transpose(context, 1, 2), {B, L, E}));
  const Tensor y = attention_norm.forward(x + dropout.forward(context));
  const Tensor wide = intermediate.forward(y, activation);
  return output_norm.forward(y + dropout.forward(output.forward(wide)));
}

void Layer::each(Visitor& v) {
  v("attention.self.query", query);
  v("attention.self.key", key);
  v("attention.self.value", value);
  v("attention.output.dense", attention_output);
  v("attention.output.LayerNorm", attention_norm);
  v("intermediate.dense", intermediate);
  v("output.dense", output);
  v("output.LayerNorm", output_norm);
  dropout.each(v);
  attention_dropout.each(v);
}

Encoder::Encoder(const Options& o) : embeddings(o), rounding{o.activations, {}} {
  for (Index i = 0; i < o.layers; ++i) layers.emplace_back(o);
  if (o.pooler) pooler = linear_of(o.hidden, o.hidden, o.dtype);
}

Tensor Encoder::forward(const Input& input, std::vector<Tensor>* weights) const {
  const Tensor& ids = input.ids;
  require(ids.defined() && ids.rank() == 2 && ids.dtype() == DType::i32, "Bert", "ids must be i32 [B,L]");
  for (const Tensor* other : {&input.keep_mask, &input.segments})
    require(!other->defined() || other->shape() == ids.shape(), "Bert", "keep_mask and segments must be ",
            ids.shape(), " as the ids are, not ", other->defined() ? other->shape() : Shape{});
  const Index longest = embeddings.position.weight.size(0);
  require(ids.size(1) <= longest, "Bert", ids.size(1), " tokens are more than the model's ", longest,
          " positions; cut the input");
  Tensor x = rounding.forward(embeddings.forward(ids, input.segments)), keep;
  if (input.keep_mask.defined()) keep = reshape(input.keep_mask, {ids.size(0), 1, 1, ids.size(1)});
  if (weights) weights->assign(layers.size(), Tensor());
  for (std::size_t i = 0; i < layers.size(); ++i)
    x = layers[i].forward(x, keep, weights ? &(*weights)[i] : nullptr);
  return detail::widened(x);
}

Tensor Encoder::pooled(const Tensor& hidden) const {
  require(pooler.weight.defined(), "Bert", "this model has no pooler");
  return tanh(pooler.forward(select(hidden, 1, 0)));
}

void Encoder::each(Visitor& v) {
  v("embeddings", embeddings);
  v("encoder.layer", layers);
  v("pooler.dense", pooler);
  rounding.each(v);
}

Bert::Bert(const Options& o) : options(o) {
  for (const auto& [name, value] : {std::pair{"vocabulary", o.vocabulary},
                                    {"positions", o.positions},
                                    {"segments", o.segments},
                                    {"layers", o.layers},
                                    {"heads", o.heads},
                                    {"hidden", o.hidden},
                                    {"intermediate", o.intermediate}})
    require(value > 0, "Bert", name, " is ", value, "; it must be at least 1");
  require(o.hidden % o.heads == 0, "Bert", "heads ", o.heads, " must divide hidden ", o.hidden);
  encoder = Encoder(o);
  if (!o.head) return;
  transform = linear_of(o.hidden, o.hidden, o.dtype);
  transform_norm = norm_of(o);
  decoder = linear_of(o.hidden, o.vocabulary, o.dtype);
  if (o.tied) decoder.weight = encoder.embeddings.word.weight;
}

Bert Bert::unset(const Options& options) { return Bert(options); }

Bert::Bert(const Options& o, Generator& random) : Bert(o) {
  for (NamedParameter& p : named_parameters(*this)) {
    if (p.name.ends_with("bias"))
      init::constant(p.parameter, 0);
    else if (!p.name.ends_with("LayerNorm.weight"))
      init::truncated_normal(p.parameter, random, 0, o.deviation);
  }
}

Tensor Bert::transformed(const Tensor& hidden) const {
  require(options.head, "Bert", "this model has no layers that guess masked tokens");
  return transform_norm.forward(transform.forward(hidden, options.activation));
}

Tensor Bert::guess(const Tensor& hidden) const { return decoder.forward(transformed(hidden)); }

Tensor Bert::loss(const Tensor& hidden, const Tensor& tokens) const {
  return linear_cross_entropy(transformed(hidden), decoder.weight, decoder.bias, tokens);
}

void Bert::each(Visitor& v) {
  if (!options.head) return encoder.each(v);
  v("bert", encoder);
  v("cls.predictions.bias", decoder.bias);
  v("cls.predictions.transform.dense", transform);
  v("cls.predictions.transform.LayerNorm", transform_norm);
  v("cls.predictions.decoder", decoder);
}

}  // namespace fovea::bert
