#include <cmath>
#include <memory>

#include "fovea/core/tape.h"
#include "fovea/models/gpt/gpt.h"
#include "fovea/models/layers/transformer.h"
#include "fovea/models/training/clip.h"
#include "fovea/models/training/optimizer.h"
#include "fovea/ops/attention.h"
#include "fovea/ops/create.h"
#include "fovea/ops/linear.h"
#include "fovea/ops/linear_cross_entropy.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/positions.h"
#include "tools/bench_workloads.h"

namespace fovea::tools {
namespace {

// The products of linear layers without biases, forward and backward, on random numbers: what the rest of a
// training step is measured against. `count` of each.
struct Size {
  Index rows, in, out, count;
};
Step products_step(const std::vector<Size>& sizes) {
  struct Product {
    Tensor x, dy;
    Parameter weight;
    Index count;
  };
  auto products = std::make_shared<std::vector<Product>>();
  Generator random(1);
  for (const Size& s : sizes)
    products->push_back({rand_normal({s.rows, s.in}, random), rand_normal({s.rows, s.out}, random),
                         Parameter(rand_normal({s.out, s.in}, random)), s.count});
  return [products] {
    for (const Product& p : *products)
      for (Index i = 0; i < p.count; ++i) {
        Tape tape;
        tape.backward(linear(tape.watch(p.x), p.weight), {.seed = p.dy});
      }
  };
}

}  // namespace

bool has_products_only(const std::string& name) { return name == "transformer" || name == "gpt"; }

Step transformer_step(const BenchOptions& o) {
  const Index B = o.batch_size.value_or(128), L = o.length.value_or(24), E = o.hidden_size.value_or(128),
              V = 10000, F = 2 * E;
  constexpr int layers = 4;
  if (o.products_only)
    return products_step({{B * L, E, 3 * E, 2 * layers},  // self-attention of both
                          {B * L, E, E, 4 * layers},      // outputs of three attentions, queries of one
                          {B * L, E, 2 * E, layers},      // keys and values of the memory
                          {B * L, E, F, 2 * layers},
                          {B * L, F, E, 2 * layers},
                          {B * L / 16, E, V, 16}});  // in parts that stay in the cache
  struct State {
    Generator random{1};
    Embedding words;
    TransformerEncoder encoder;
    TransformerDecoder decoder;
    Tensor positions, source, target, next;
    std::unique_ptr<Adam> optimizer;
    void each(Visitor& v) {
      v("words", words);
      v("encoder", encoder);
      v("decoder", decoder);
    }
  };
  auto s = std::make_shared<State>();
  const TransformerOptions options{.embed_dim = E, .num_heads = 4, .feedforward = F};
  s->words = Embedding({.num_embeddings = V, .embedding_dim = E}, s->random);
  s->encoder = TransformerEncoder(options, layers, s->random);
  s->decoder = TransformerDecoder(options, layers, s->random);
  s->positions = sinusoidal_positions(L, E);
  for (Tensor* ids : {&s->source, &s->target, &s->next}) *ids = rand_int({B, L}, s->random, 0, V);
  s->optimizer = std::make_unique<Adam>(flatten(*s), Adam::Options{});
  training_mode(*s, s->random);
  const double scale = std::sqrt(static_cast<double>(E));
  return [s, scale] {
    {
      Tape tape;
      const auto embed = [&](const Tensor& ids) { return s->words.forward(ids) * scale + s->positions; };
      const Tensor y = s->decoder.forward(embed(s->target), s->encoder.forward(embed(s->source)));
      tape.backward(linear_cross_entropy(y, s->words.weight, {}, s->next, {.label_smoothing = 0.1}));
    }
    clip_by_norm(s->optimizer->parameters(), 1);
    s->optimizer->step();
  };
}

Step gpt_step(const BenchOptions& o) {
  const Index B = o.batch_size.value_or(12), L = o.length.value_or(64), E = o.hidden_size.value_or(128),
              V = 65;
  constexpr int layers = 4;
  if (o.products_only)
    return products_step({{B * L, E, 3 * E, layers},
                          {B * L, E, E, layers},
                          {B * L, E, 4 * E, layers},
                          {B * L, 4 * E, E, layers},
                          {B * L, E, V, 1}});
  struct State {
    Generator random{1};
    gpt::Gpt model;
    Tensor ids, next;
    std::unique_ptr<AdamW> optimizer;
  };
  auto s = std::make_shared<State>();
  s->model = gpt::Gpt(
      {.vocabulary = V, .block_size = L, .layers = layers, .heads = 4, .embed_dim = E, .bias = false},
      s->random);
  s->ids = rand_int({B, L}, s->random, 0, V);
  s->next = rand_int({B, L}, s->random, 0, V);
  s->optimizer = std::make_unique<AdamW>(flatten(s->model), AdamW::Options{});
  return [s] {
    {
      Tape tape;
      tape.backward(s->model.loss(s->ids, s->next));
    }
    clip_by_norm(s->optimizer->parameters(), 1);
    s->optimizer->step();
  };
}

Step decode_step(const BenchOptions& o) {
  const Index B = o.batch_size.value_or(1), L = o.length.value_or(64), E = o.hidden_size.value_or(128);
  require(L >= 2, "bench", "decode writes the tokens after the first: --length must be at least 2");
  Generator random(1);
  auto model = std::make_shared<gpt::Gpt>(
      gpt::Options{.vocabulary = 65, .block_size = L, .layers = 4, .heads = 4, .embed_dim = E, .bias = false},
      random);
  return [model, first = zeros({B, 1}, DType::i32), L] {
    Generator draws(2);
    model->generate(first, L - 1, {.temperature = 0}, draws);
  };
}

Step attention_step(const BenchOptions& o) {
  const Index B = o.batch_size.value_or(16), L = o.length.value_or(1024), D = o.hidden_size.value_or(64);
  Generator random(1);
  std::vector<Tensor> x;  // q, k, v, dy
  for (int i = 0; i < 4; ++i) x.push_back(rand_normal({B, 12, L, D}, random));
  return [x] {
    Tape tape;
    tape.backward(
        scaled_dot_product_attention(tape.watch(x[0]), tape.watch(x[1]), tape.watch(x[2]), {.causal = true}),
        {.seed = x[3]});
  };
}

}  // namespace fovea::tools
