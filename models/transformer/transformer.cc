#include "fovea/models/transformer/transformer.h"

#include <cmath>
#include <numeric>

#include "fovea/models/training/settings.h"
#include "fovea/ops/create.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/positions.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"

namespace fovea::transformer {
namespace {

constexpr Choices<Smoothing> smoothings = {
    {"all", Smoothing::all}, {"others", Smoothing::others}, {"words", Smoothing::words}};

Embedding make_words(Index words, const Options& o, Generator& random) {
  Embedding e({.num_embeddings = words, .embedding_dim = o.embed_dim, .dtype = o.dtype}, random);
  // embed() multiplies by sqrt(E), and a tied output layer needs logits of about 1.
  init::normal(e.weight, random, 0, 1 / std::sqrt(static_cast<double>(o.embed_dim)));
  return e;
}

void start_attention(MultiHeadAttention& a, const Options& o, Generator& random) {
  init::xavier_uniform(a.out_proj.weight, random);
  a.dropout.p = o.attention_dropout;
}

void start_feedforward(FeedForwardPart& f, const Options& o, Generator& random) {
  for (Linear* linear : {&f.linear1, &f.linear2}) {
    init::xavier_uniform(linear->weight, random);
    if (linear->bias.defined()) init::constant(linear->bias, 0);
  }
  f.dropout.p = o.relu_dropout;
}

// keep [B,S] as a mask of scores [B,H,L,S].
Tensor mask_of(const Tensor& keep) { return reshape(keep, {keep.size(0), 1, 1, keep.size(1)}); }

}  // namespace

void State::keep_rows(const Tensor& numbers) {
  const Tensor rows = to(numbers, memory.device());
  for (KvCache& c : cache.self) c.reorder(rows);
  std::vector<std::int32_t> next;
  for (const std::int32_t n : numbers.values<std::int32_t>())
    next.push_back(sources.at(static_cast<std::size_t>(n)));
  // Rows mostly take another row's place that translates the same sentence: nothing of the memory moves.
  if (next == sources) return;
  for (KvCache& c : cache.cross) c.reorder(rows);
  memory = index_select(memory, 0, rows);
  keep = index_select(keep, 0, rows);
  sources = std::move(next);
}

Transformer::Transformer(const Options& o, Generator& random)
    : options(o),
      source(make_words(o.source_words, o, random)),
      target(o.tied ? source : make_words(o.target_words, o, random)),
      encoder(o, o.layers, random, o.norm_first),
      decoder(o, o.layers, random, o.norm_first),
      dropout{o.dropout, {}},
      rounding{o.activations, {}} {
  require(!o.tied || o.source_words == o.target_words, "transformer", "one matrix for ", o.source_words,
          " source and ", o.target_words, " target words; share the vocabulary, or untie");
  if (o.tied)
    out.weight = source.weight;
  else
    out.weight = make_words(o.target_words, o, random).weight;
  for (TransformerEncoderLayer& layer : encoder.layers) {
    start_attention(layer.self_attn, o, random);
    start_feedforward(layer.feedforward, o, random);
  }
  for (TransformerDecoderLayer& layer : decoder.layers) {
    start_attention(layer.self_attn, o, random);
    start_attention(layer.multihead_attn, o, random);
    start_feedforward(layer.feedforward, o, random);
  }
}

Tensor Transformer::embed(const Embedding& words, const Tensor& ids, Index first) const {
  const Index E = options.embed_dim;
  const Tensor positions = sinusoidal_positions(ids.size(1), E, options.dtype, first, words.weight.device());
  return rounding.forward(
      dropout.forward(words.forward(ids) * std::sqrt(static_cast<double>(E)) + positions));
}

Tensor Transformer::encode(const Tensor& ids, const Tensor& keep, std::vector<Tensor>* weights) const {
  require(ids.rank() == 2 && keep.shape() == ids.shape(), "transformer", "source ", ids.shape(), " and keep ",
          keep.shape(), " must both be [B,S]");
  return encoder.forward(embed(source, ids), mask_of(keep), weights);
}

Tensor Transformer::decode(const Tensor& words, const Tensor& memory, const Tensor& keep,
                           std::vector<Tensor>* weights) const {
  require(words.rank() == 2 && keep.rank() == 2, "transformer", "words ", words.shape(), " and keep ",
          keep.shape(), " must be [B,T] and [B,S]");
  return decoder.forward(embed(target, words), memory,
                         {.memory_keep_mask = mask_of(keep), .cross_weights = weights});
}

Tensor Transformer::loss(const TokenBatch& batch, LinearCrossEntropyOptions smoothing) const {
  const Tensor y = decode(batch.input, encode(batch.source, batch.source_keep), batch.source_keep);
  smoothing.ignore_index = options.pad;
  return linear_cross_entropy(y, out.weight, {}, batch.output, smoothing);
}

Tensor Transformer::log_probs(const TokenBatch& batch) const {
  return log_softmax(
      out.forward(decode(batch.input, encode(batch.source, batch.source_keep), batch.source_keep)));
}

State Transformer::start(const Tensor& ids, const Tensor& keep, Index most) const {
  State state{encode(ids, keep), mask_of(keep), decoder.cache(ids.size(0), most + 1), 0, {}};
  state.sources.resize(static_cast<std::size_t>(ids.size(0)));
  std::iota(state.sources.begin(), state.sources.end(), 0);
  return state;
}

Tensor Transformer::step(const Tensor& words, State& state) const {
  const Tensor x = embed(target, reshape(words, {words.numel(), 1}), state.position);
  const Tensor y = decoder.forward(x, state.memory, {.memory_keep_mask = state.keep, .cache = &state.cache});
  ++state.position;
  return log_softmax(out.forward(reshape(y, {y.size(0), y.size(2)})));
}

Writer Transformer::writer(State& state) const {
  return {[this, &state](const Tensor& last) { return step(to(last, state.memory.device()), state); },
          [&state](const Tensor& numbers) { state.keep_rows(numbers); }};
}

void Transformer::each(Visitor& v) {
  v("source", source);
  v("target", target);
  v("encoder", encoder);
  v("decoder", decoder);
  v("out", out);
  dropout.each(v);
  rounding.each(v);
}

Smoothing smoothing_named(const std::string& name) {
  return chosen("transformer", "smoothing", name, smoothings);
}

std::vector<std::string> smoothing_names() { return words_of(smoothings); }

LinearCrossEntropyOptions smoothed(Smoothing smoothing, double eps, Index words, std::int32_t pad) {
  LinearCrossEntropyOptions o;
  o.label_smoothing = eps;
  if (smoothing == Smoothing::all) return o;
  if (smoothing == Smoothing::words) o.not_smoothed = pad;
  // Of n words that share eps' each gets eps' / n, so the true one has 1 - eps' (n - 1) / n.
  const auto n = static_cast<double>(smoothing == Smoothing::words ? words - 1 : words);
  require(n >= 2 && eps * n < n - 1, "transformer", "label smoothing of ", eps, " is too much for ", words,
          " words");
  o.label_smoothing = eps * n / (n - 1);
  return o;
}

}  // namespace fovea::transformer
