#include "fovea/models/gpt/gpt.h"

#include <cmath>
#include <limits>

#include "fovea/core/tape.h"
#include "fovea/models/gpt/pretrained.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/ops/create.h"
#include "fovea/ops/cross_entropy.h"
#include "fovea/ops/join.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/golden.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

using gpt::Gpt;

gpt::Options small(DType dtype = DType::f64) {
  return {.vocabulary = 17,
          .block_size = 16,
          .layers = 2,
          .heads = 3,
          .embed_dim = 12,
          .activation = Activation::gelu_tanh,
          .dtype = dtype};
}

// The entries "<prefix>name" of the golden file.
std::vector<NamedTensor> entries(const NpzFile& file, const std::string& prefix) {
  std::vector<NamedTensor> out;
  for (const std::string& name : file.names())
    if (name.starts_with(prefix)) out.push_back({name.substr(prefix.size()), file.get(name)});
  return out;
}

TEST_CASE("gpt: a GPT-2 of random weights, as Hugging Face computes it") {
  const NpzFile file = golden("gpt.npz");
  Generator random(1);
  Gpt model(small(), random);
  load_tensors(model, gpt::from_hugging_face(entries(file, "p/")));
  const Tensor ids = file.get("ids"), in = slice(ids, 1, 0, 6), next = slice(ids, 1, 1, 7);
  CHECK(difference(model.forward(ids), file.get("logits")) <= 1e-10);
  {
    Tape tape;
    const Tensor loss = model.loss(in, next);
    CHECK(difference(loss.detach(), file.get("loss")) <= 1e-12);
    tape.backward(loss);
  }
  const auto gradients = gpt::from_hugging_face(entries(file, "g/"));
  const auto parameters = named_parameters(model);
  CHECK(gradients.size() == parameters.size());
  for (const NamedTensor& g : gradients)
    for (const NamedParameter& p : parameters)
      if (p.name == g.name) CHECK_MESSAGE(difference(p.parameter.grad(), g.tensor) <= 1e-10, g.name);
  CHECK(difference(model.generate(ids, 9, {.temperature = 0}, random), file.get("greedy")) == 0);
}

TEST_CASE("gpt: beyond the block it goes on from the last tokens") {
  Generator random(2);
  const Gpt model(small(), random);
  Tensor ids = rand_int({2, 3}, random, 0, 17);
  const Tensor all = model.generate(ids, 20, {.temperature = 0}, random);
  for (int i = 0; i < 20; ++i) {
    const Index L = ids.size(1);
    const Tensor last = select(model.forward(slice(ids, 1, std::max<Index>(0, L - 16), L)), 1, -1);
    ids = concat({ids, unsqueeze(argmax(last, -1), 1)}, 1);
  }
  CHECK(difference(all, ids) == 0);
}

TEST_CASE("gpt: nanoGPT's initial values and size") {
  Generator random(3);
  Gpt model({.vocabulary = 65, .block_size = 256, .layers = 6, .heads = 6, .embed_dim = 384, .bias = false},
            random);
  CHECK(parameter_count(model) == 10646784 + 98304);
  const auto deviation = [&](const char* name) {
    for (const NamedParameter& p : named_parameters(model))
      if (p.name == name) return std::sqrt(var(p.parameter).item<double>());
    return 0.0;
  };
  CHECK(deviation("transformer.wte.weight") == doctest::Approx(0.02).epsilon(0.02));
  CHECK(deviation("transformer.h.5.attn.c_attn.weight") == doctest::Approx(0.02).epsilon(0.02));
  CHECK(deviation("transformer.h.5.mlp.c_fc.weight") == doctest::Approx(0.02).epsilon(0.02));
  CHECK(deviation("transformer.h.0.attn.c_proj.weight") ==
        doctest::Approx(0.02 / std::sqrt(12)).epsilon(0.02));
  CHECK(deviation("transformer.h.0.mlp.c_proj.weight") ==
        doctest::Approx(0.02 / std::sqrt(12)).epsilon(0.02));
  // It starts out knowing nothing.
  const Tensor ids = rand_int({2, 64}, random, 0, 65);
  CHECK(model.loss(ids, rand_int({2, 64}, random, 0, 65)).item() ==
        doctest::Approx(std::log(65)).epsilon(0.05));
}

TEST_CASE("gpt: sampling") {
  Generator random(4);
  const double p[] = {0.1, 0.4, 0.2, 0.3};
  Tensor row = zeros({1, 4});
  for (int i = 0; i < 4; ++i) row.mutable_data<float>()[i] = static_cast<float>(std::log(p[i]));
  const Tensor logits = expand(row, {20000, 4});
  const auto shares = [&](const gpt::Sampling& s) {
    std::vector<double> out(4);
    const Tensor next = gpt::sample(logits, s, random);
    for (std::int32_t i : next.values<std::int32_t>()) out[std::size_t(i)] += 1 / 20000.0;
    return out;
  };
  const auto close = [](const std::vector<double>& a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < 4; ++i) CHECK(std::abs(a[i] - b[i]) <= (b[i] == 0 ? 0 : 0.015));
  };
  close(shares({}), {0.1, 0.4, 0.2, 0.3});
  close(shares({.temperature = 0}), {0, 1, 0, 0});
  close(shares({.temperature = 0.5}), {1 / 30., 16 / 30., 4 / 30., 9 / 30.});
  close(shares({.top_k = 1}), {0, 1, 0, 0});
  close(shares({.top_k = 2}), {0, 4 / 7., 0, 3 / 7.});
  close(shares({.top_k = 9}), {0.1, 0.4, 0.2, 0.3});
  close(shares({.top_p = 0.65}), {0, 4 / 7., 0, 3 / 7.});
  close(shares({.top_p = 0.75}), {0, 4 / 9., 2 / 9., 3 / 9.});
  close(shares({.top_p = 0.1}), {0, 1, 0, 0});
  close(shares({.top_k = 3, .top_p = 0.7}), {0, 4 / 7., 0, 3 / 7.});
}

TEST_CASE("gpt: training and bad input") {
  Generator random(5);
  gpt::Options options = small(DType::f32);
  options.dropout = 0.2;
  Gpt model(options, random);
  const Tensor ids = rand_int({1, 5}, random, 0, 17), y = model.forward(ids);
  Generator numbers(6);
  training_mode(model, numbers);
  CHECK(difference(model.forward(ids), y) > 1e-4);
  evaluation_mode(model);
  CHECK(difference(model.forward(ids), y) == 0);
  check_throws([&] { model.forward(zeros({1, 5})); }, {"[Gpt]", "i32 [B,L]", "f32"});
  check_throws([&] { model.forward(zeros({1, 17}, DType::i32)); }, {"17 tokens", "block_size, 16"});
  check_throws([&] { model.forward(full({1, 2}, 17, DType::i32)); }, {"17"});
  check_throws([&] { model.generate(zeros({1, 0}, DType::i32), 1, {}, random); }, {"L at least 1"});
  check_throws([&] { gpt::sample(zeros({2, 3}), {.temperature = -1}, random); }, {"temperature -1"});
  check_throws([&] { gpt::sample(zeros({2, 3}), {.top_p = 0}, random); }, {"top_p 0"});
  check_throws([&] { gpt::sample(zeros({3}), {}, random); }, {"[B,V]"});
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const auto row = [&](std::vector<float> logits) {
    return gpt::sample(Tensor::from(logits, {1, static_cast<Index>(logits.size())}), {}, random);
  };
  for (const std::vector<float>& bad : {std::vector{nan, 1.f}, {1.f, nan}, {1.f, inf}, {-inf, -inf}})
    check_throws([&] { row(bad); }, {"the weights give numbers that are not finite"});
  CHECK(row({-inf, 1, -inf}).item<std::int32_t>() == 1);
  check_throws([&] { Gpt({.vocabulary = 5, .layers = 0}, random); }, {"layers is 0"});
}

}  // namespace
}  // namespace fovea::tests
