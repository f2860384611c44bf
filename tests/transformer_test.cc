#include "fovea/models/layers/transformer.h"

#include "fovea/models/layers/flat.h"
#include "fovea/ops/create.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/join.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/golden.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

using Call = MultiHeadAttention::Call;
constexpr DType f64 = DType::f64;

Tensor as_mask(const Tensor& keep) {  // i32 [B,L] -> u8 [B,1,1,L]
  return reshape(cast(keep, DType::u8), {keep.size(0), 1, 1, keep.size(1)});
}

TEST_CASE("multi_head_attention: as PyTorch's") {
  const NpzFile file = golden("transformer.npz");
  Generator random(1);
  for (const bool bias : {true, false}) {
    MultiHeadAttention m({.embed_dim = 8, .num_heads = 2, .bias = bias, .dtype = f64}, random);
    const auto cross = [&](const Inputs& x) {
      Tensor weights;
      const Tensor y = m.forward(x[0], x[1], {.weights = &weights});
      CHECK(difference(m.forward(x[0], x[1]).detach(), y.detach()) <= 1e-12);  // the path without weights
      return std::vector{y, weights};
    };
    check_layer(file, bias ? "cross_attention" : "cross_attention_no_bias", named_parameters(m), cross);
    zero_gradients(m);
    if (bias)
      check_layer(file, "self_attention", named_parameters(m), [&](const Inputs& x) {
        Tensor weights;
        const Tensor y = m.forward(x[0], {.keep_mask = as_mask(x[1]), .weights = &weights});
        return std::vector{y, weights};
      });
    else
      check_layer(file, "causal_attention", named_parameters(m),
                  [&](const Inputs& x) { return std::vector{m.forward(x[0], {.causal = true})}; });
  }
}

TEST_CASE("transformer: layers as PyTorch's") {
  const NpzFile file = golden("transformer.npz");
  Generator random(1);
  for (const bool pre : {false, true}) {
    const std::string name = pre ? "pre_norm" : "post_norm";
    TransformerOptions o{.embed_dim = 8, .num_heads = 2, .feedforward = 12, .norm_first = pre, .dtype = f64};
    o.activation = pre ? Activation::gelu : Activation::relu;
    TransformerEncoderLayer encoder(o, random);
    check_layer(file, "encoder_" + name, named_parameters(encoder), [&](const Inputs& x) {
      return std::vector{encoder.forward(x[0], {.keep_mask = as_mask(x[1])})};
    });
    o.activation = pre ? Activation::relu : Activation::gelu;
    TransformerDecoderLayer decoder(o, random);
    check_layer(file, "decoder_" + name, named_parameters(decoder), [&](const Inputs& x) {
      return std::vector{
          decoder.forward(x[0], x[1], {.self = {.causal = true}, .cross = {.keep_mask = as_mask(x[2])}})};
    });
  }
}

struct Both {
  TransformerEncoder encoder;
  TransformerDecoder decoder;
  void each(Visitor& v) {
    v("encoder", encoder);
    v("decoder", decoder);
  }
};

Both both(Generator& random, double dropout = 0) {
  const TransformerOptions o{
      .embed_dim = 8, .num_heads = 2, .feedforward = 12, .dropout = dropout, .dtype = f64};
  return {TransformerEncoder(o, 2, random), TransformerDecoder(o, 2, random)};
}

TEST_CASE("transformer: the stacks as PyTorch's") {
  Generator random(1);
  Both model = both(random);
  check_layer(golden("transformer.npz"), "transformer", named_parameters(model), [&](const Inputs& x) {
    return std::vector{model.decoder.forward(x[1], model.encoder.forward(x[0]))};
  });
}

TEST_CASE("multi_head_attention: a token at a time is the whole sequence") {
  Generator random(3);
  for (const Index kv_heads : {4, 2, 1}) {
    const MultiHeadAttention m({.embed_dim = 32, .num_heads = 4, .kv_heads = kv_heads, .dtype = f64}, random);
    const Tensor x = draw({3, 7, 32}, f64, -1, 1, 5);
    const Tensor whole = m.forward(x, {.causal = true});
    KvCache cache = m.cache(3, 7);
    CHECK(cache.keys.shape() == Shape{3, kv_heads, 7, 8});
    std::vector<Tensor> parts;
    for (const auto& [begin, end] : {std::pair{0, 3}, {3, 4}, {4, 5}, {5, 7}})
      parts.push_back(m.forward(slice(x, 1, begin, end), {.causal = true, .cache = &cache}));
    CHECK(cache.length == 7);
    CHECK(difference(concat(parts, 1), whole) <= 1e-12);
    check_throws([&] { m.forward(slice(x, 1, 0, 1), {.cache = &cache}); }, {"7 positions", "8 are needed"});
  }
}

TEST_CASE("transformer: decoding with a cache, in another order of the batch") {
  Generator random(4);
  Both model = both(random);
  const Tensor memory = model.encoder.forward(draw({2, 5, 8}, f64, -1, 1, 1)),
               x = draw({2, 3, 8}, f64, -1, 1, 2);
  const Tensor keep = as_mask(Tensor::from(std::vector<std::int32_t>{1, 1, 1, 0, 0, 1, 1, 1, 1, 1}, {2, 5}));
  const Tensor whole = model.decoder.forward(x, memory, {.memory_keep_mask = keep});
  DecoderCache cache = model.decoder.cache(2, 8);
  std::vector<Tensor> steps;
  for (Index t = 0; t < 3; ++t)
    steps.push_back(
        model.decoder.forward(slice(x, 1, t, t + 1), memory, {.memory_keep_mask = keep, .cache = &cache}));
  CHECK(difference(concat(steps, 1), whole) <= 1e-12);
  // Both entries go on from the second one's past.
  const Tensor second = Tensor::from(std::vector<std::int32_t>{1, 1}, {2});
  cache.reorder(second);
  const Tensor next = draw({1, 1, 8}, f64, -1, 1, 3), twice = expand(next, {2, 1, 8});
  const Tensor keep_second = index_select(keep, 0, second), memory_second = index_select(memory, 0, second);
  const Tensor y =
      model.decoder.forward(twice, memory_second, {.memory_keep_mask = keep_second, .cache = &cache});
  const Tensor longer = concat({index_select(x, 0, second), twice}, 1);
  CHECK(difference(y, slice(model.decoder.forward(longer, memory_second, {.memory_keep_mask = keep_second}),
                            1, 3, 4)) <= 1e-12);
}

TEST_CASE("transformer: a cache grows and shrinks with its rows, and leaves copies alone") {
  Generator random(4);
  const MultiHeadAttention m({.embed_dim = 8, .num_heads = 2, .dtype = f64}, random);
  const Tensor x = draw({2, 3, 8}, f64, -1, 1, 2), next = draw({1, 1, 8}, f64, -1, 1, 3);
  KvCache cache = m.cache(2, 5), copy = cache;
  m.forward(x, {.causal = true, .cache = &cache});
  const Tensor before = clone(copy.keys);
  for (const std::vector<std::int32_t>& numbers : {std::vector<std::int32_t>{1, 0, 1}, {2}}) {
    const auto R = static_cast<Index>(numbers.size());
    cache.reorder(Tensor::from(numbers, {R}));
    CHECK(cache.keys.shape() == Shape{R, 2, 5, 4});
  }
  CHECK(cache.length == 3);
  CHECK(difference(copy.keys, before) == 0);
  const Tensor y = m.forward(next, {.causal = true, .cache = &cache});
  const Tensor whole = m.forward(concat({slice(x, 0, 1, 2), next}, 1), {.causal = true});
  CHECK(difference(y, slice(whole, 1, 3, 4)) <= 1e-12);
}

TEST_CASE("transformer: weights, dropout and modes") {
  Generator random(5), numbers(6);
  Both model = both(random, 0.3);
  const Tensor x = draw({2, 4, 8}, f64, -1, 1, 1), t = draw({2, 3, 8}, f64, -1, 1, 2);
  std::vector<Tensor> self, cross;
  const Tensor memory = model.encoder.forward(x, {}, &self);
  const Tensor y = model.decoder.forward(t, memory, {.cross_weights = &cross});
  REQUIRE(self.size() == 2);
  REQUIRE(cross.size() == 2);
  CHECK(self[1].shape() == Shape{2, 2, 4, 4});
  CHECK(cross[0].shape() == Shape{2, 2, 3, 4});
  CHECK(difference(sum(cross[1], -1), ones({2, 2, 3}, f64)) <= 1e-12);
  CHECK(difference(model.decoder.forward(t, model.encoder.forward(x)), y) <= 1e-12);
  training_mode(model, numbers);
  CHECK(difference(model.decoder.forward(t, model.encoder.forward(x)), y) > 0.01);
  evaluation_mode(model);
  CHECK(difference(model.decoder.forward(t, model.encoder.forward(x)), y) <= 1e-12);
}

TEST_CASE("transformer: bad sizes are refused") {
  Generator random(1);
  check_throws([&] { MultiHeadAttention({.embed_dim = 8, .num_heads = 3}, random); },
               {"[MultiHeadAttention]", "3", "8"});
  check_throws([&] { MultiHeadAttention({.embed_dim = 8, .num_heads = 4, .kv_heads = 3}, random); },
               {"kv_heads 3", "4"});
  check_throws([&] { MultiHeadAttention({.embed_dim = 8, .dropout = 1}, random); }, {"dropout is 1"});
  check_throws([&] { TransformerEncoder({.embed_dim = 8}, 0, random); }, {"[Transformer]", "num_layers"});
  const MultiHeadAttention m({.embed_dim = 8, .num_heads = 2}, random);
  const Tensor x = zeros({2, 3, 8});
  check_throws([&] { m.forward(zeros({2, 3, 7})); }, {"[MultiHeadAttention]", "(2,3,7)", "[B,L,8]"});
  check_throws([&] { m.forward(x, zeros({1, 3, 8})); }, {"memory (1,3,8)"});
  KvCache cache = m.cache(1, 4), none;
  check_throws([&] { m.forward(x, {.cache = &cache}); }, {"not for 2 sequences", "cache()"});
  check_throws([&] { m.forward(x, {.cache = &none}); }, {"cache()"});
  check_throws([&] { none.reorder(zeros({2}, DType::i32)); }, {"[KvCache]"});
  KvCache two = m.cache(2, 4);
  {
    Tape tape;
    check_throws([&] { m.forward(tape.watch(x), {.cache = &two}); }, {"inference", "Tape"});
  }
  MultiHeadAttention lost({.embed_dim = 8, .dropout = 0.1}, random);
  lost.dropout.mode.training = true;
  check_throws([&] { lost.forward(x); }, {"training_mode(model, generator)"});
}

}  // namespace
}  // namespace fovea::tests
