#include "fovea/models/seq2seq/seq2seq.h"

#include <cmath>
#include <map>

#include "fovea/models/training/clip.h"
#include "fovea/models/training/optimizer.h"
#include "fovea/ops/views.h"
#include "tests/golden.h"

namespace fovea::tests {
namespace {

using namespace fovea::seq2seq;

const TokenPairs pairs{{{4, 5, 6, 7}, {8, 9}, {10, 4, 4}}, {{4, 5}, {6, 7, 8, 4}, {5}}};

TokenBatch batch_of(std::vector<Index> numbers = {0, 1, 2}) { return make_token_batch(pairs, numbers); }

Options small(const std::string& net, const std::string& attention, DType dtype = DType::f64) {
  Options o;
  o.net = net;
  o.attention = attention;
  o.embedding = 4;
  o.hidden = o.features = 6;
  o.layers = net == "luong" ? 2 : 1;
  o.source_words = 11;
  o.target_words = 9;
  o.dtype = dtype;
  return o;
}

void check_step(const std::string& name, const Options& options) {
  INFO(name);
  const NpzFile file = golden("seq2seq.npz");
  Generator random(1);
  Seq2Seq model(options, random);
  const std::vector<NamedParameter> parameters = named_parameters(model);
  Adam optimizer(flatten(model), {.lr = 1e-2});
  std::size_t count = 0;
  for (const std::string& member : file.names()) count += member.rfind(name + "/p/", 0) == 0;
  CHECK(parameters.size() == count);
  for (const auto& [parameter, p] : parameters) assign(p, file.get(cat(name, "/p/", parameter)));
  {
    Tape tape;
    std::vector<Step> steps;
    const Tensor cost = model.loss(batch_of(), &steps);
    CHECK(difference(cost.detach(), file.get(name + "/cost")) < 1e-12);
    const Tensor weights = steps.back().weights;
    CHECK(weights.defined() == file.contains(name + "/weights"));
    if (weights.defined()) CHECK(difference(weights.detach(), file.get(name + "/weights")) < 1e-12);
    tape.backward(cost);
  }
  for (const auto& [parameter, p] : parameters)
    CHECK_MESSAGE(difference(p.grad(), file.get(cat(name, "/g/", parameter))) < 1e-10, parameter);
  clip_by_norm(optimizer.parameters(), 0.1);
  optimizer.step();
  for (const auto& [parameter, p] : parameters)
    CHECK_MESSAGE(difference(p, file.get(cat(name, "/after/", parameter))) < 1e-8, parameter);
}

TEST_CASE("seq2seq: a whole training step as PyTorch makes it") {
  check_step("rnnsearch", small("rnnsearch", "concat"));
  check_step("rnnsearch_plain", small("rnnsearch", "none"));
  check_step("luong", small("luong", "general"));
  check_step("luong_plain", small("luong", "none"));
}

std::vector<std::string> all_attentions() {
  std::vector<std::string> names = attention_names();
  names.push_back("none");
  return names;
}

TEST_CASE("seq2seq: a sentence is the same alone and in a batch, taught and written") {
  for (const char* net : {"rnnsearch", "luong"})
    for (const std::string& attention : all_attentions()) {
      INFO(net << " " << attention);
      Generator random(3);
      Seq2Seq model(small(net, attention), random);
      const TokenBatch all = batch_of();
      const Tensor together = model.log_probs(all);
      double sum = 0;
      for (Index i = 0; i < 3; ++i) {
        const TokenBatch one = batch_of({i});
        const Tensor alone = model.log_probs(one);
        State state = model.encode(one.source, one.source_keep, one.source_lengths);
        for (Index t = 0; t < together.size(1); ++t) {
          if (t >= one.input.size(1)) {
            CHECK(together.at({i, t}) == 0);
            continue;
          }
          CHECK(alone.at({0, t}) == doctest::Approx(together.at({i, t})).epsilon(1e-9));
          // Step by step, as translations are written.
          const Writer writer = model.writer(state);
          const Tensor next = writer.next(reshape(select(one.input, 1, t), {1}));
          CHECK(next.at({0, static_cast<Index>(one.output.at({0, t}))}) ==
                doctest::Approx(alone.at({0, t})).epsilon(1e-9));
          sum -= alone.at({0, t});
        }
      }
      CHECK(model.loss(all).item<double>() == doctest::Approx(sum / static_cast<double>(all.target_tokens)));
    }
}

TEST_CASE("seq2seq: hard attention's gradient is that of the expected cost") {
  // Two states to look at and sentences of one word and an end: the expectation over looks by enumeration.
  Generator random(3), numbers(4);
  Options o = small("rnnsearch", "hard");
  Seq2Seq model(o, random);
  const TokenPairs one{{{4}}, {{5}}};
  const TokenBatch batch = make_token_batch(one, std::vector<Index>{0});
  training_mode(model, numbers);
  const Parameter query = std::get<RnnSearch>(model.net).attention->query.weight;
  const auto expected = [&] {
    // The looks decide the cost alone, so four draws say it all: collected until all have been seen.
    Pause pause;
    std::map<std::vector<Index>, std::pair<double, double>> seen;
    while (seen.size() < 4) {
      State state = model.encode(batch.source, batch.source_keep, batch.source_lengths);
      double log_prob = 0, log_p = 0;
      std::vector<Index> looks;
      for (Index t = 0; t < 2; ++t) {
        const Step step = model.step(reshape(select(batch.input, 1, t), {1}), state);
        log_prob += step.log_prob.item<double>();
        looks.push_back(step.weights.at({0, 1}) == 1);
        log_p += model.out.forward(step.features).at({0, static_cast<Index>(batch.output.at({0, t}))}) -
                 logsumexp(model.out.forward(step.features)).item<double>();
      }
      seen[looks] = {std::exp(log_prob), -log_p / 2};
    }
    double cost = 0, total = 0;
    for (const auto& [looks, s] : seen) cost += s.first * s.second, total += s.first;
    CHECK(total == doctest::Approx(1));
    return cost;
  };
  // Large weights, so that looks matter.
  for (const NamedParameter& p : named_parameters(model)) assign(p.parameter, p.parameter * 4);
  for (const Parameter& p : {model.source.weight, model.target.weight}) assign(p, p * 5);
  const double h = 1e-4;
  Tensor direction = draw(query.shape(), DType::f64, -1, 1, 9), at = clone(query.detach());
  assign(query, at + direction * h);
  const double up = expected();
  assign(query, at - direction * h);
  const double slope = (up - expected()) / (2 * h);
  assign(query, at);
  zero_gradients(model);
  double squares = 0;
  constexpr int draws = 10000;
  for (int i = 0; i < draws; ++i) {
    const double before = sum(query.grad() * direction).item<double>();
    Tape tape;
    tape.backward(model.loss(batch));
    const double estimate = sum(query.grad() * direction).item<double>() - before;
    squares += estimate * estimate;
  }
  const double mean = sum(query.grad() * direction).item<double>() / draws;
  const double error = std::sqrt((squares / draws - mean * mean) / draws);
  CHECK(std::abs(slope) > 10 * error);  // or the test would not see a wrong one
  CHECK(std::abs(mean - slope) < 4 * error);
}

TEST_CASE("seq2seq: learns by heart, and beams agree with greedy writing") {
  for (const char* net : {"rnnsearch", "luong"}) {
    Generator random(1), numbers(2);
    Options o = small(net, net == std::string("luong") ? "local-p" : "concat", DType::f32);
    o.hidden = 16;
    Seq2Seq model(o, random);
    Adam optimizer(flatten(model), {.lr = 2e-2});
    const TokenBatch batch = batch_of();
    for (int i = 0; i < 120; ++i) {
      Tape tape;
      tape.backward(model.loss(batch));
      clip_by_norm(optimizer.parameters(), 1);
      optimizer.step();
    }
    CHECK(model.loss(batch).item() < 0.1);
    State greedy = model.encode(batch.source, batch.source_keep, batch.source_lengths);
    State wide = greedy;
    std::vector<Step> steps;
    const auto g = write_greedily(model.writer(greedy, &steps), {.most = {9, 9, 9}});
    const auto b = beam_search(model.writer(wide), {{.most = {9, 9, 9}}, 4, 0.6});
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(g[i].ids == pairs.target[i]);
      CHECK(b[i].ids == pairs.target[i]);
      CHECK(b[i].log_prob == doctest::Approx(g[i].log_prob).epsilon(1e-4));
    }
    CHECK(steps.size() == 5);  // the longest target and its end
    CHECK(steps[0].weights.shape() == Shape{3, 5});
  }
}

TEST_CASE("seq2seq: bad options and input") {
  Generator random;
  const auto make = [&](const char* net, const char* attention, auto change) {
    Options o = small(net, attention);
    change(o);
    return Seq2Seq(o, random);
  };
  check_throws([&] { make("transformer", "dot", [](Options&) {}); }, {"[seq2seq]", "rnnsearch, luong"});
  check_throws([&] { make("luong", "dod", [](Options&) {}); }, {"[seq2seq]", "'dod'", "none, dot"});
  check_throws([&] { make("rnnsearch", "dot", [](Options& o) { o.layers = 2; }); }, {"one layer"});
  check_throws([&] { make("rnnsearch", "dot", [](Options& o) { o.encoder_hidden = 4; }); }, {"6 and 8"});
  check_throws([&] { make("luong", "general", [](Options& o) { o.encoder_hidden = 4; }); },
               {"6 units", "directions of 4"});
  const Seq2Seq model = make("luong", "general", [](Options&) {});
  TokenBatch batch = batch_of();
  check_throws(
      [&] {
        model.encode(batch.source, zeros({3, 4}, DType::u8), batch.source_lengths);
      },
      {"(3,4)", "[B,S]"});
}

}  // namespace
}  // namespace fovea::tests
