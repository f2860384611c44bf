#include <cmath>
#include <memory>

#include "fovea/core/tape.h"
#include "fovea/models/gpt/gpt.h"
#include "fovea/models/layers/transformer.h"
#include "fovea/ops/attention.h"
#include "fovea/ops/create.h"
#include "fovea/ops/linear.h"
#include "fovea/ops/linear_cross_entropy.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/positions.h"
#include "tools/bench/workloads.h"

namespace fovea::tools {
namespace {

// The products of linear layers without biases, forward and backward, on random numbers: what the rest of a
// training step is measured against. `count` of each.
struct Size {
  Index rows, in, out, count;
};
Step products_step(const BenchOptions& o, const std::vector<Size>& sizes) {
  struct Product {
    Tensor x, dy;
    Parameter weight;
    Index count;
  };
  auto products = std::make_shared<std::vector<Product>>();
  Generator random(1);
  for (const Size& s : sizes)
    products->push_back({activations(o, rand_normal({s.rows, s.in}, random)),
                         activations(o, rand_normal({s.rows, s.out}, random)),
                         Parameter(to(rand_normal({s.out, s.in}, random), o.device)), s.count});
  return [products] {
    for (const Product& p : *products)
      for (Index i = 0; i < p.count; ++i) {
        Tape tape;
        tape.backward(linear(tape.watch(p.x), p.weight), {.seed = p.dy});
      }
  };
}

// An encoder-decoder Transformer: E 128, 4 heads, 4 + 4 layers of width 256, post-norm, one matrix for 10,000
// words, 128 pairs of 24 + 24 tokens, dropout 0.1, label smoothing 0.1, clipping by norm 1, Adam.
Step transformer_step(const BenchOptions& o) {
  const Index B = o.batch_size.value_or(128), L = o.length.value_or(24), E = o.hidden_size.value_or(128),
              V = 10000, F = 2 * E;
  constexpr int layers = 4;
  if (o.products_only)
    return products_step(o, {{B * L, E, 3 * E, 2 * layers},  // self-attention of both
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
  move_to(*s, o.device);
  s->positions = to(sinusoidal_positions(L, E), o.device);
  for (Tensor* ids : {&s->source, &s->target, &s->next})
    *ids = to(rand_int({B, L}, s->random, 0, V), o.device);
  s->optimizer = std::make_unique<Adam>(flatten(*s), Adam::Options{});
  training_mode(*s, s->random);
  const double scale = std::sqrt(static_cast<double>(E));
  return [s, scale, o] {
    train_step(*s->optimizer, 1, [&] {
      const auto embed = [&](const Tensor& ids) {
        return activations(o, s->words.forward(ids) * scale + s->positions);
      };
      const Tensor y = s->decoder.forward(embed(s->target), s->encoder.forward(embed(s->source)));
      return linear_cross_entropy(y, s->words.weight, {}, s->next, {.label_smoothing = 0.1});
    });
  };
}

// A GPT of 65 characters without dropout, clipping by norm 1, AdamW.
struct GptSize {
  Index batch, length;
  int layers, heads;
  Index width;
};
Step gpt_step(const BenchOptions& o, const GptSize& size) {
  const Index B = o.batch_size.value_or(size.batch), L = o.length.value_or(size.length),
              E = o.hidden_size.value_or(size.width), V = 65;
  const int layers = size.layers;
  if (o.products_only)
    return products_step(o, {{B * L, E, 3 * E, layers},
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
  s->model = gpt::Gpt({.vocabulary = V,
                       .block_size = L,
                       .layers = layers,
                       .heads = size.heads,
                       .embed_dim = E,
                       .bias = false,
                       .activations = o.bf16 ? DType::bf16 : DType::f32},
                      s->random);
  move_to(s->model, o.device);
  for (Tensor* ids : {&s->ids, &s->next}) *ids = to(rand_int({B, L}, s->random, 0, V), o.device);
  s->optimizer = std::make_unique<AdamW>(flatten(s->model), AdamW::Options{});
  training_mode(s->model, s->random);
  return [s] { train_step(*s->optimizer, 1, [&] { return s->model.loss(s->ids, s->next); }); };
}

// nanoGPT's CPU preset writes 63 characters after one, token by token, with its keys and values cached.
Work decode_work(const BenchOptions& o) {
  const Index B = o.batch_size.value_or(1), L = o.length.value_or(64), E = o.hidden_size.value_or(128);
  require(L >= 2, "bench", "decode writes the tokens after the first: --length must be at least 2");
  Generator random(1);
  auto model = std::make_shared<gpt::Gpt>(
      gpt::Options{.vocabulary = 65, .block_size = L, .layers = 4, .heads = 4, .embed_dim = E, .bias = false},
      random);
  move_to(*model, o.device);
  Work work([model, first = zeros({B, 1}, DType::i32), L] {
    Generator draws(2);
    model->generate(first, L - 1, {.temperature = 0}, draws);
  });
  work.tokens = static_cast<double>(B * (L - 1));
  return work;
}

// Causal attention alone, forward and backward: of seven products, half of each is needed.
Work attention_work(const BenchOptions& o) {
  const Index B = o.batch_size.value_or(16), L = o.length.value_or(1024), D = o.hidden_size.value_or(64);
  Generator random(1);
  std::vector<Tensor> x;  // q, k, v, dy
  for (int i = 0; i < 4; ++i) x.push_back(activations(o, rand_normal({B, 12, L, D}, random)));
  const auto step = [x] {
    Tape tape;
    tape.backward(
        scaled_dot_product_attention(tape.watch(x[0]), tape.watch(x[1]), tape.watch(x[2]), {.causal = true}),
        {.seed = x[3]});
  };
  return {step, 0, 7 * static_cast<double>(B * 12 * L * L * D), o.bf16 ? Factors::bf16 : Factors::f32};
}

}  // namespace

bool has_products_only(const std::string& name) { return name == "transformer" || name.starts_with("gpt"); }

std::vector<Workload> transformer_workloads() {
  // nanoGPT's CPU preset, and its character preset.
  const auto small = [](const BenchOptions& o) { return gpt_step(o, {12, 64, 4, 4, 128}); };
  const auto full = [](const BenchOptions& o) { return gpt_step(o, {64, 256, 6, 6, 384}); };
  return {
      {.name = "transformer", .make = transformer_step, .bf16 = true},
      {.name = "gpt", .make = small, .bf16 = true},
      {.name = "gpt_full", .make = full, .on_request = true, .bf16 = true},
      {.name = "decode", .make = decode_work},
      {.name = "attention", .make = attention_work, .bf16 = true},
  };
}

}  // namespace fovea::tools
