#include "fovea/models/layers/rnn_attention.h"

#include <set>

#include "fovea/ops/gather.h"
#include "fovea/ops/views.h"
#include "tests/golden.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

constexpr DType f64 = DType::f64;

RnnAttention make(const char* score, Window window = Window::global, bool hard = false,
                  DType dtype = DType::f64, Index memory_size = 4) {
  Generator random(1);
  return RnnAttention({.score = score,
                       .window = window,
                       .hard = hard,
                       .query_size = 4,
                       .memory_size = memory_size,
                       .hidden_size = 5,
                       .half_width = 2,
                       .dtype = dtype},
                      random);
}

Tensor keep_of(const std::vector<Index>& lengths, Index S) {
  Tensor keep = zeros({static_cast<Index>(lengths.size()), S}, DType::u8);
  for (std::size_t b = 0; b < lengths.size(); ++b)
    std::fill_n(keep.mutable_data<std::uint8_t>() + static_cast<Index>(b) * S, lengths[b], std::uint8_t{1});
  return keep;
}

TEST_CASE("rnn_attention: the papers' formulae") {
  const NpzFile file = golden("rnn_attention.npz");
  const auto same = [&](const char* name, RnnAttention layer) {
    check_layer(file, name, named_parameters(layer), [&](const std::vector<Tensor>& x) {
      const Look look = layer.forward(x[0], layer.remember(x[1], x[2]), 1);
      return std::vector{look.context, look.weights};
    });
  };
  same("dot", make("dot"));
  same("scaled", make("scaled"));
  same("cosine", make("cosine"));
  same("general", make("general", Window::global, false, f64, 3));
  same("concat", make("concat", Window::global, false, f64, 3));
  same("local_m", make("general", Window::local_m, false, f64, 3));
  same("local_p", make("general", Window::local_p, false, f64, 3));
  same("local_p_concat", make("concat", Window::local_p, false, f64, 3));
}

TEST_CASE("rnn_attention: a step is a part of the whole") {
  for (const std::string& name : attention_names()) {
    INFO(name);
    Generator random(1);
    RnnAttention::Options options = attention_named(name);
    options.query_size = options.memory_size = 4;
    options.half_width = 1;
    RnnAttention layer(options, random);
    const Tensor q = draw({2, 3, 4}, DType::f32, -1, 1, 1), values = draw({2, 5, 4}, DType::f32, -1, 1, 2);
    const AttentionMemory memory = layer.remember(values, keep_of({5, 2}, 5));
    const Look all = layer.forward(q, memory);
    for (Index t = 0; t < 3; ++t) {
      const Look one = layer.forward(slice(q, 1, t, t + 1), memory, t);
      CHECK(difference(one.weights, slice(all.weights, 1, t, t + 1)) <= 1e-6);
      CHECK(difference(one.context, slice(all.context, 1, t, t + 1)) <= 1e-6);
    }
    // Sentences may be chosen again and again, as a beam does.
    const Tensor twice = cast(Tensor::from({1, 1, 0}, {3}), DType::i32);
    const Look rows = layer.forward(index_select(q, 0, twice), memory.rows(twice));
    CHECK(difference(rows.weights, index_select(all.weights, 0, twice)) <= 1e-6);
  }
}

TEST_CASE("rnn_attention: a memory of nothing but padding gives zeros, and gradients of 0") {
  for (const std::string& name : attention_names()) {
    INFO(name);
    Generator random(1), numbers(2);
    RnnAttention::Options options = attention_named(name);
    options.query_size = options.memory_size = 3;
    RnnAttention layer(options, random);
    training_mode(layer, numbers);
    Tape tape;
    const Tensor q = tape.watch(draw({1, 2, 3}, DType::f32, -1, 1, 1)),
                 values = tape.watch(draw({1, 4, 3}, DType::f32, -1, 1, 2));
    const Look look = layer.forward(q, layer.remember(values, keep_of({0}, 4)));
    CHECK(max(abs(look.context.detach())).item() == 0);
    CHECK(max(abs(look.weights.detach())).item() == 0);
    tape.backward(sum(look.context) + sum(look.weights));
    CHECK(max(abs(tape.gradient(q))).item() == 0);
    CHECK(max(abs(tape.gradient(values))).item() == 0);
  }
}

TEST_CASE("rnn_attention: hard attention draws states as often as their weights say") {
  RnnAttention hard = make("dot", Window::global, true), soft = make("dot");
  const Tensor q = expand(draw({1, 1, 4}, f64, -1, 1, 1), {1, 4000, 4}),
               values = draw({1, 3, 4}, f64, -1, 1, 2);
  const Tensor keep = keep_of({2}, 3);
  const Tensor weights = select(soft.forward(q, soft.remember(values, keep)).weights, 1, 0);
  const Look likeliest = hard.forward(q, hard.remember(values, keep));
  const Index best = weights.at({0, 0}) > weights.at({0, 1}) ? 0 : 1;
  CHECK(mean(select(likeliest.weights, 2, best)).item() == 1);
  Generator numbers(3);
  training_mode(hard, numbers);
  const Look look = hard.forward(q, hard.remember(values, keep));
  const Tensor often = mean(look.weights, 1);
  for (Index s = 0; s < 3; ++s) CHECK(often.at({0, s}) == doctest::Approx(weights.at({0, s})).epsilon(0.05));
  for (Index t = 0; t < 5; ++t)
    for (Index s = 0; s < 2; ++s)
      if (look.weights.at({0, t, s}) == 1)
        CHECK(look.log_prob.at({0, t}) == doctest::Approx(std::log(weights.at({0, s}))));
}

TEST_CASE("rnn_attention: the table names every score once, and bad input is refused") {
  std::set<std::string> names;
  for (const AttentionScore& s : attention_scores()) names.insert(s.name);
  CHECK(names == std::set<std::string>{"dot", "general", "concat", "cosine", "scaled"});
  Generator random;
  check_throws([] { attention_named("dott"); }, {"[RnnAttention]", "dott", "local-p", "concat"});
  check_throws([&] { RnnAttention({.score = "cos", .query_size = 1, .memory_size = 1}, random); },
               {"'cos'", "cosine"});
  check_throws([&] { RnnAttention({.score = "dot"}, random); }, {"query_size"});
  check_throws([&] { RnnAttention({.score = "dot", .query_size = 3, .memory_size = 4}, random); },
               {"3 and 4", "general"});
  check_throws([&] { RnnAttention({.query_size = 3, .memory_size = 4, .half_width = 0}, random); },
               {"half_width"});
  check_throws(
      [&] {
        RnnAttention({.window = Window::local_p, .hard = true, .query_size = 3, .memory_size = 4}, random);
      },
      {"local-p", "hard"});
  const RnnAttention layer = make("dot");
  const Tensor values = zeros({2, 3, 4}, f64);
  check_throws([&] { layer.remember(values, zeros({2, 4}, DType::u8)); }, {"(2,3,4)", "(2,4)"});
  check_throws([&] { layer.remember(values, ones({2, 3})); }, {"f32"});
  check_throws(
      [&] {
        layer.forward(zeros({2, 4}, f64), layer.remember(values, keep_of({3, 3}, 3)));
      },
      {"(2,4)", "[B,T,Q]"});
  RnnAttention hard = make("dot", Window::global, true);
  hard.mode.training = true;
  check_throws(
      [&] {
        hard.forward(zeros({2, 1, 4}, f64), hard.remember(values, keep_of({3, 3}, 3)));
      },
      {"training_mode"});
}

}  // namespace
}  // namespace fovea::tests
