#include <cmath>

#include "fovea/models/training/optimizer.h"
#include "fovea/models/transformer/transformer.h"
#include "fovea/ops/positions.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"
#include "tests/golden.h"

namespace fovea::tests {
namespace {

using namespace fovea::transformer;

const TokenPairs pairs{{{4, 5, 6, 7}, {8, 4}, {6, 4, 4}}, {{4, 5}, {6, 7, 8, 4}, {5}}};

TokenBatch batch_of(std::vector<Index> numbers = {0, 1, 2}) { return make_token_batch(pairs, numbers); }

Options small(bool norm_first, bool tied, DType dtype = DType::f64) {
  Options o;
  o.embed_dim = 4;
  o.num_heads = 2;
  o.feedforward = 6;
  o.dropout = 0;
  o.norm_first = norm_first;
  o.layers = 2;
  o.source_words = 11;
  o.target_words = tied ? 11 : 9;
  o.tied = tied;
  o.dtype = dtype;
  return o;
}

void check_step(const std::string& name, const Options& options) {
  INFO(name);
  const NpzFile file = golden("transformer_model.npz");
  Generator random(1);
  Transformer model(options, random);
  Adam optimizer(flatten(model), {.lr = 1e-2, .beta2 = 0.98});
  const std::vector<NamedParameter> parameters = named_parameters(model);
  std::size_t count = 0;
  for (const std::string& member : file.names()) count += member.rfind(name + "/p/", 0) == 0;
  CHECK(parameters.size() == count);
  for (const auto& [parameter, p] : parameters) assign(p, file.get(cat(name, "/p/", parameter)));
  CHECK(difference(model.log_probs(batch_of()), file.get(name + "/log_probs")) < 1e-12);
  {
    Tape tape;
    const Tensor cost = model.loss(batch_of(), {.label_smoothing = 0.1});
    CHECK(difference(cost.detach(), file.get(name + "/cost")) < 1e-12);
    tape.backward(cost);
  }
  for (const auto& [parameter, p] : parameters)
    CHECK_MESSAGE(difference(p.grad(), file.get(cat(name, "/g/", parameter))) < 1e-10, parameter);
  optimizer.step();
  for (const auto& [parameter, p] : parameters)
    CHECK_MESSAGE(difference(p, file.get(cat(name, "/after/", parameter))) < 1e-8, parameter);
}

TEST_CASE("transformer model: a whole training step as PyTorch makes it") {
  check_step("post", small(false, true));
  check_step("pre", small(true, false));
}

TEST_CASE("transformer model: golden values G5 and G6, and the three smoothings by hand") {
  const Tensor positions = sinusoidal_positions(6, 8, DType::f64);
  CHECK(positions.at({5, 0}) == doctest::Approx(-0.958924).epsilon(1e-5));
  CHECK(positions.at({5, 7}) == doctest::Approx(0.999988).epsilon(1e-6));
  // Logits through a layer of one input, which is 1.
  const Tensor x = ones({1, 1}, DType::f64), w = Tensor::from(std::vector<double>{2, 1, 0, -1, 0.5}, {5, 1});
  const auto cost = [&](Smoothing s, std::int32_t word, std::int32_t pad) {
    const auto o = smoothed(s, 0.1, 5, pad);
    return linear_cross_entropy(x, w, {}, Tensor::from(std::vector<std::int32_t>{word}, {1}), o)
        .item<double>();
  };
  CHECK(cost(Smoothing::all, 0, 4) == doctest::Approx(0.724438).epsilon(1e-6));
  CHECK(cost(Smoothing::others, 0, 4) == doctest::Approx(0.761938).epsilon(1e-6));
  const Tensor log_p = log_softmax(reshape(w, {1, 5}));
  for (const std::int32_t pad : {4, 0}) {
    double want = -0.9 * log_p.at({0, 1});
    for (Index k = 0; k < 5; ++k)
      if (k != 1 && k != pad) want -= 0.1 / 3 * log_p.at({0, k});
    CHECK(cost(Smoothing::words, 1, pad) == doctest::Approx(want).epsilon(1e-12));
  }
  check_throws([] { smoothing_named("some"); }, {"[transformer]", "'some'", "all, others, words"});
  check_throws([] { smoothed(Smoothing::others, 0.5, 2, 0); }, {"label smoothing of 0.5", "2 words"});
}

TEST_CASE("transformer model: a sentence is the same alone and in a batch, at once and word by word") {
  for (const bool norm_first : {false, true}) {
    Generator random(3);
    Transformer model(small(norm_first, true), random);
    const TokenBatch all = batch_of();
    const Tensor together = model.log_probs(all);
    State state = model.start(all.source, all.source_keep, 4);
    const Writer writer = model.writer(state);
    for (Index t = 0; t < together.size(1); ++t)
      CHECK(difference(writer.next(reshape(contiguous(select(all.input, 1, t)), {3})),
                       select(together, 1, t)) < 1e-12);
    double sum = 0;
    for (Index i = 0; i < 3; ++i) {
      const TokenBatch one = batch_of({i});
      const Tensor alone = model.log_probs(one);
      for (Index t = 0; t < one.input.size(1); ++t) {
        CHECK(difference(select(select(alone, 0, 0), 0, t), select(select(together, 0, i), 0, t)) < 1e-12);
        sum -= alone.at({0, t, static_cast<Index>(one.output.at({0, t}))});
      }
    }
    CHECK(model.loss(all).item<double>() == doctest::Approx(sum / static_cast<double>(all.target_tokens)));
  }
}

TEST_CASE("transformer model: rows that are kept go on as if they had always been there") {
  Generator random(3);
  Transformer model(small(false, true), random);
  const TokenBatch all = batch_of();
  State state = model.start(all.source, all.source_keep, 5);
  const Writer writer = model.writer(state);
  const auto ids = [](std::vector<std::int32_t> v) {
    return Tensor::from(v, {static_cast<Index>(v.size())});
  };
  // As a beam of two over three sentences: each in two rows, then within sentences, then the second is done.
  struct Move {
    std::vector<std::int32_t> words, kept;
  };
  const std::vector<Move> moves{{{2, 2, 2}, {0, 0, 1, 1, 2, 2}},
                                {{4, 5, 6, 7, 8, 9}, {1, 0, 3, 2, 4, 4}},
                                {{4, 4, 5, 5, 6, 7}, {1, 0, 5, 5}}};
  std::vector<std::vector<std::int32_t>> texts(3);
  std::vector<std::int32_t> sentence{0, 1, 2};
  for (const Move& move : moves) {
    writer.next(ids(move.words));
    for (std::size_t r = 0; r < texts.size(); ++r) texts[r].push_back(move.words[r]);
    writer.keep_rows(ids(move.kept));
    std::vector<std::vector<std::int32_t>> next;
    std::vector<std::int32_t> next_sentence;
    for (const std::int32_t from : move.kept) {
      next.push_back(texts[static_cast<std::size_t>(from)]);
      next_sentence.push_back(sentence[static_cast<std::size_t>(from)]);
    }
    texts = next;
    sentence = next_sentence;
    CHECK(state.sources == sentence);
  }
  const Tensor y = writer.next(ids({4, 5, 6, 7}));
  for (std::size_t r = 0; r < texts.size(); ++r) {
    texts[r].push_back(static_cast<std::int32_t>(4 + r));
    const TokenBatch one = batch_of({sentence[r]});
    const Tensor words = Tensor::from(texts[r], {1, static_cast<Index>(texts[r].size())});
    const Tensor h = model.decode(words, model.encode(one.source, one.source_keep), one.source_keep);
    const Tensor want = log_softmax(model.out.forward(select(select(h, 0, 0), 0, -1)));
    CHECK(difference(select(y, 0, static_cast<Index>(r)), want) < 1e-12);
  }
}

TEST_CASE("transformer model: learns by heart, and beams agree with greedy writing") {
  for (const bool norm_first : {false, true}) {
    Generator random(1);
    Options o = small(norm_first, true, DType::f32);
    o.embed_dim = 16;
    Transformer model(o, random);
    Adam optimizer(flatten(model), {.lr = 1e-2});
    const TokenBatch batch = batch_of();
    for (int i = 0; i < 100; ++i) {
      Tape tape;
      tape.backward(model.loss(batch));
      optimizer.step();
    }
    CHECK(model.loss(batch).item() < 0.1);
    const auto start = [&] { return model.start(batch.source, batch.source_keep, 9); };
    State a = start(), b = start(), c = start();
    const auto greedy = write_greedily(model.writer(a), {.most = {9, 9, 9}});
    const auto narrow = beam_search(model.writer(b), {{.most = {9, 9, 9}}, 1, 0.6});
    const auto wide = beam_search(model.writer(c), {{.most = {9, 9, 9}}, 4, 0.6});
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(greedy[i].ids == pairs.target[i]);
      CHECK(narrow[i].ids == greedy[i].ids);
      CHECK(narrow[i].log_prob == doctest::Approx(greedy[i].log_prob).epsilon(1e-4));
      CHECK(wide[i].ids == pairs.target[i]);
      CHECK(wide[i].log_prob == doctest::Approx(greedy[i].log_prob).epsilon(1e-4));
    }
  }
}

TEST_CASE("transformer model: how weights start, and what is dropped") {
  Generator random(1), numbers(2);
  Options o = small(false, true, DType::f32);
  o.embed_dim = 64;
  o.source_words = o.target_words = 100;
  o.dropout = 0.3;
  o.attention_dropout = 0.2;
  o.relu_dropout = 0.1;
  Transformer model(o, random);
  CHECK(parameter_count(model) == 100 * 64 + 2 * (4 * 64 * 65 + 6 * 64 * 2 + 6 + 64 + 4 * 64) +
                                      2 * (8 * 64 * 65 + 6 * 64 * 2 + 6 + 64 + 6 * 64));
  const Tensor words = model.source.weight.detach();
  CHECK(std::sqrt(mean(words * words).item<double>()) == doctest::Approx(0.125).epsilon(0.03));
  CHECK(model.encoder.layers[0].dropout.p == 0.3);
  CHECK(model.encoder.layers[1].self_attn.dropout.p == 0.2);
  CHECK(model.decoder.layers[1].multihead_attn.dropout.p == 0.2);
  CHECK(model.decoder.layers[0].feedforward.dropout.p == 0.1);
  const TokenBatch batch = batch_of();
  const double plain = model.loss(batch).item<double>();
  training_mode(model, numbers);
  CHECK(model.loss(batch).item<double>() != plain);
  evaluation_mode(model);
  CHECK(model.loss(batch).item<double>() == plain);
}

TEST_CASE("transformer model: bad options and input") {
  Generator random;
  const auto with = [&](auto change) {
    Options o = small(false, true);
    change(o);
    return Transformer(o, random);
  };
  check_throws([&] { with([](Options& o) { o.target_words = 12; }); },
               {"[transformer]", "11", "12", "untie"});
  check_throws([&] { with([](Options& o) { o.num_heads = 3; }); }, {"num_heads 3", "4"});
  check_throws([&] { with([](Options& o) { o.layers = 0; }); }, {"num_layers is 0"});
  const Transformer model = with([](Options&) {});
  const TokenBatch batch = batch_of();
  check_throws([&] { model.encode(batch.source, zeros({3, 4}, DType::u8)); }, {"(3,4)", "[B,S]"});
  check_throws(
      [&] {
        model.decode(batch.input, zeros({3, 5, 4}, DType::f64), zeros({3}, DType::u8));
      },
      {"(3)", "[B,T] and [B,S]"});
  check_throws([&] { model.encode(full({1, 2}, 11, DType::i32), ones({1, 2}, DType::u8)); }, {"11"});
  State state = model.start(batch.source, batch.source_keep, 0);
  const Tensor words = full({3}, 2, DType::i32);
  model.step(words, state);
  check_throws([&] { model.step(words, state); }, {"1 positions", "2 are needed"});
}

}  // namespace
}  // namespace fovea::tests
