#include "fovea/models/ntm/learner.h"
#include "tests/rows.h"

#ifdef FOVEA_CUDA
#include <algorithm>
#include <cmath>
#include <memory>

#include "fovea/core/memory.h"
#include "fovea/models/bert/learner.h"
#include "fovea/models/bert/sentences.h"
#include "fovea/models/data/digits.h"
#include "fovea/models/draw/learner.h"
#include "fovea/models/gpt/learner.h"
#include "fovea/models/seq2seq/learner.h"
#include "fovea/models/stn/learner.h"
#include "fovea/models/transformer/learner.h"
#include "fovea/ops/create.h"
#include "fovea/ops/views.h"
#include "tests/backwards.h"
#include "tests/scratch.h"
#endif

namespace fovea::tests {
namespace {

TEST_CASE("a run's settings do not keep the device") {
  ntm::Settings s = ntm::settings_for("copy", "ntm", "default");
  const std::string text = s.to_json();
  s.device = devices().back();
  CHECK(s.to_json() == text);
  CHECK(is_cpu(ntm::Settings::from_json(s.to_json()).device));
}

#ifdef FOVEA_CUDA

// Every family on a GPU and on the host: the same run, but for the order in which products are summed.

using Numbers = std::vector<double>;

constexpr double f64_close = 1e-9, f32_close = 1e-4, bf16_close = 0.03;  // of 1 or of the number itself

void close(const Numbers& a, const Numbers& b, double tolerance) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double off = std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i]));
    if (!(off <= worst)) worst = off;  // NaN is the worst
  }
  CHECK(worst <= tolerance);
}

// All elements of tensors that a learner has returned, which must lie on the host.
Numbers elements(const std::vector<Tensor>& tensors) {
  Numbers out;
  for (const Tensor& t : tensors) {
    REQUIRE(is_cpu(t.device()));
    const Tensor wide = cast(t, DType::f64);
    for (const double x : contiguous(wide).values<double>()) out.push_back(x);
  }
  return out;
}

void append(Numbers& to, const Numbers& more) { to.insert(to.end(), more.begin(), more.end()); }

// All that a checkpoint would hold now.
Numbers state(fovea::Learner& learner) {
  Numbers out;
  const Checkpoint c = learner.checkpoint();
  for (const auto* part : {&c.model, &c.optimizer, &c.extra})
    for (const NamedTensor& t : *part) append(out, elements({to(t.tensor, Cpu{})}));
  return out;
}

// `make` gives a learner of settings, `scores` all that it says of itself. `replays`: its updates as graphs.
template <class Settings, class Make, class Scores>
void check_family(Settings s, double tolerance, const Make& make, const Scores& scores, bool replays = true) {
  if (devices().size() == 1) {
    MESSAGE("skipped: no GPU");
    return;
  }
  INFO(s.to_json());
  const auto on = [&](const Device& d) {
    s.device = d;
    return make(s);
  };
  const auto host = on(Cpu{}), gpu = on(Cuda{});
  for (const NamedTensor& t : gpu->checkpoint().model)
    if (is_float(t.tensor.dtype())) CHECK(t.tensor.device() == Device(Cuda{}));
  // The first update is as written; the second, of the same shape, records the graph that the third replays:
  // with the bits of one that stays as it is written.
  const auto eager = on(Cuda{});
  eager->replays().stop();
  for (int i = 0; i < 3; ++i) {
    const double cost = gpu->step();
    close({cost}, {host->step()}, tolerance);
    CHECK(cost == eager->step());
  }
  INFO(gpu->replays().refusal());
  CHECK((gpu->replays().graphs() > 0) == replays);
  CHECK(state(*gpu) == state(*eager));
  close(scores(*gpu), scores(*host), tolerance);
  // A run goes on elsewhere, from its file.
  const Scratch folder("learner_device");
  for (const bool to_host : {true, false}) {
    const auto& first = to_host ? gpu : host;
    const auto second = on(to_host ? Device(Cpu{}) : Device(Cuda{}));
    save_checkpoint(folder.path, first->checkpoint());
    second->restore(load_checkpoint(folder.path));
    CHECK(second->steps() == first->steps());
    close({second->step()}, {first->step()}, tolerance);
    close(state(*second), state(*first), tolerance);
  }
}

TEST_CASE("ntm on a GPU") {
  for (const bool baseline : {false, true}) {
    ntm::Settings s = ntm::settings_for("sort", baseline ? "lstm" : "ntm", "default");
    s.controller_size = 10;
    s.memory_rows = 8;
    s.memory_width = 5;
    s.read_heads = 2;
    s.lstm_size = 6;
    s.batch_size = 2;
    s.dtype = "f64";
    check_family(
        s, f64_close, [](const auto& settings) { return std::make_unique<ntm::Learner>(settings); },
        [&](ntm::Learner& learner) {
          const ntm::Score score = learner.evaluate(1, {2, 0}, 1);
          Generator random(1);
          ntm::Trace trace;
          Numbers out = elements({learner.answer(learner.task().draw(2, random, {2, 0}), &trace)});
          for (const auto* steps : {&trace.read_weights, &trace.write_weights, &trace.reads, &trace.adds}) {
            CHECK(steps->empty() == baseline);
            append(out, elements(*steps));
          }
          append(out, {score.bits, score.wrong_bits, score.wrong_fraction});
          return out;
        });
  }
}

TEST_CASE("a learner on a GPU gives up its graphs when memory runs out, and learns the same") {
  if (devices().size() == 1) return;
  constexpr Cuda gpu;
  ntm::Settings s = ntm::settings_for("copy", "lstm", "default");  // lengths, and so graphs, of every kind
  s.device = gpu;
  s.lstm_size = 3;
  s.batch_size = 1;
  std::vector<double> costs;
  int graphs = 0;
  {
    ntm::Learner learner(s);
    for (int i = 0; i < 30; ++i) costs.push_back(learner.step());
    graphs = learner.replays().graphs();
  }
  REQUIRE(graphs > 5);
  ntm::Learner learner(s);
  for (const double cost : costs) {
    CHECK(learner.step() == cost);
    if (learner.replays().graphs() < 3) continue;
    release_cached_memory(gpu);
    set_memory_limit(memory_stats(gpu).reserved, gpu);  // from here on there is none for another length
  }
  set_memory_limit(0, gpu);
  CHECK(learner.replays().graphs() == 0);
}

PictureSet digits() { return {draw_digits(8, Generator(1)), draw_digits(6, Generator(2))}; }

TEST_CASE("draw on a GPU") {
  for (const char* kind : {"attention", "plain", "classifier"}) {
    const bool classifies = kind == std::string("classifier"), plain = kind == std::string("plain");
    draw::Settings s = draw::settings_for("mnist", "default");
    if (classifies) s.model = kind;
    s.attention = !plain;
    s.learned_start = !plain;
    s.glimpses = 2;
    s.latent = 3;
    s.hidden = 8;
    s.read_size = 3;
    s.write_size = 2;
    s.batch_size = 4;
    s.dtype = "f64";
    check_family(
        s, f64_close,
        [](const auto& settings) { return std::make_unique<draw::Learner>(settings, digits()); },
        [&](draw::Learner& learner) {
          const draw::Score score = learner.evaluate(0, 3);
          Numbers out = score.kl_per_step;
          append(out, {score.nats, score.reconstruction, score.kl, score.wrong_fraction});
          if (!classifies) {
            const draw::Score seen = learner.take_training_score();
            append(out, {seen.nats, seen.reconstruction, seen.kl});
          }
          const Tensor images = learner.pictures().test.images;
          draw::Trace trace;
          const std::vector<Tensor> pictures =
              classifies
                  ? std::vector{learner.classify(images, &trace)}
                  : std::vector{learner.generate(2, 1, &trace), learner.reconstruct(images, 2, &trace)};
          // Probabilities are given as f32.
          for (const double p : elements(pictures)) out.push_back(std::round(p * 1e5) * 1e-5);
          CHECK(trace.canvases.empty() == classifies);
          CHECK(trace.read_windows.empty() == plain);
          for (const auto* steps : {&trace.canvases, &trace.read_windows, &trace.write_windows})
            append(out, elements(*steps));
          return out;
        });
  }
}

TEST_CASE("stn on a GPU") {
  const auto make = [](const auto& settings) { return std::make_unique<stn::Learner>(settings, digits()); };
  const auto scores = [](stn::Learner& learner) {
    const stn::Learner::Score score = learner.evaluate(6);
    Numbers out = score.error_percent;
    for (const auto& row : score.confusion)
      for (const Index n : row) out.push_back(static_cast<double>(n));
    const stn::Stn::Look look = learner.look(learner.test_scenes(0, 3).images);
    append(out, elements({look.logits}));
    for (const auto& t : look.transformers) append(out, elements({t.theta, t.grid.points, t.output}));
    return out;
  };
  stn::Settings s = stn::settings_for("rts", "fcn", "default");
  s.batch_size = 2;
  s.size = 14;
  s.theta_reg = 0.1;
  s.dtype = "f64";
  for (const char* kind : {"affine", "projective", "tps", "attention"}) {
    s.kind = kind;
    check_family(s, f64_close, make, scores);
  }
  stn::Settings with_baseline = stn::settings_for("rts", "cnn", "default");
  with_baseline.batch_size = 2;
  with_baseline.dtype = "f64";
  with_baseline.with_baseline = true;
  check_family(with_baseline, f64_close, make, scores);
}

TEST_CASE("gpt on a GPU") {
  gpt::Settings s = gpt::settings_for("cpu");
  s.vocabulary = 6;
  s.context = 8;
  s.layers = 2;
  s.heads = 2;
  s.width = 16;
  s.dropout = 0.1;
  s.batch_size = 4;
  gpt::Text text;
  for (std::int32_t i = 0; i < 200; ++i) (i < 150 ? text.train : text.validation).push_back(i * i % 5);
  for (const bool rounded : {false, true}) {
    if (rounded) s.dtype = "bf16";
    check_family(
        s, rounded ? bf16_close : f32_close,
        [&](const auto& settings) { return std::make_unique<gpt::Learner>(settings, text); },
        [](gpt::Learner& learner) {
          Generator random(1);
          Numbers shown, out{learner.validation_loss(), learner.validation_loss(2)};
          const Tensor all = learner.model().generate(reshape(arange(3), {1, 3}), 9, {.top_k = 4}, random,
                                                      [&](const Tensor& tokens) {
                                                        append(shown, elements({tokens}));
                                                        return true;
                                                      });
          append(out, elements({all}));
          append(out, shown);
          return out;
        });
  }
}

template <class Learner, class Settings>
std::unique_ptr<Learner> translator(const Settings& settings) {
  return std::make_unique<Learner>(settings, backwards(30, 1), backwards(10, 2));
}

Numbers translation_scores(TranslationLearner& learner) {
  Numbers out{learner.validate()};
  const std::vector<TokenIds> sentences = backwards(2, 3).source;
  const auto add = [&](const std::vector<Written>& all) {
    for (const Written& w : all) {
      out.insert(out.end(), w.ids.begin(), w.ids.end());
      out.push_back(w.log_prob);
    }
  };
  add(learner.translate(sentences));
  add(learner.translate(sentences, 2));
  append(out, elements(learner.look({5}).maps));
  append(out, elements({learner.gradients({5, 4}, {{5, 6}, 0, true})}));
  learner.use_averages(true);
  out.push_back(learner.validate());
  learner.use_averages(false);
  return out;
}

TEST_CASE("transformer on a GPU") {
  transformer::Settings s = transformer::settings_for("copy");
  s.width = 16;
  s.heads = 2;
  s.feedforward = 24;
  s.layers = 1;
  s.dropout = s.attention_dropout = 0.1;
  s.source_words = s.target_words = 10;
  s.tokens = 60;
  s.most_length = 6;
  s.steps = 4;
  s.averages = 2;
  s.average_every = 1;
  for (const bool rounded : {false, true})
    for (const Index pad_to : {1, 8}) {
      if (rounded) s.dtype = "bf16";
      s.pad_to = pad_to;
      check_family(
          s, rounded ? bf16_close : f32_close, translator<transformer::Learner, transformer::Settings>,
          [](transformer::Learner& learner) {
            Numbers out = translation_scores(learner);
            append(out, elements(learner.self_attention({4, 7, 5})));
            return out;
          },
          pad_to > 1);
    }
}

TEST_CASE("seq2seq on a GPU") {
  for (const auto& [net, attention] : {std::pair{"rnnsearch", "concat"},
                                       {"rnnsearch", "local-p"},
                                       {"rnnsearch", "hard"},
                                       {"luong", "none"},
                                       {"luong", "local-m"}}) {
    seq2seq::Settings s = seq2seq::settings_for("dates");
    s.net = net;
    s.attention = attention;
    s.embedding = 6;
    s.hidden = 8;
    s.half_width = 1;
    s.dropout = 0.1;
    s.source_words = s.target_words = 10;
    s.batch_size = 6;
    s.most_length = 6;
    for (const Index pad_to : {1, 8}) {
      s.pad_to = pad_to;
      check_family(s, f32_close, translator<seq2seq::Learner, seq2seq::Settings>, translation_scores,
                   pad_to > 1);
    }
  }
}

TEST_CASE("bert on a GPU") {
  for (const char* kind : {"masked", "next_sentence", "with_baseline", "bf16"}) {
    bert::Settings s = bert::settings_for("small");
    s.vocabulary = 19;
    s.context = 10;
    s.layers = 1;
    s.heads = 2;
    s.width = 16;
    s.dropout = 0.1;
    s.batch_size = 4;
    s.next_sentence = kind == std::string("next_sentence");
    s.with_baseline = kind == std::string("with_baseline");
    const bool rounded = kind == std::string("bf16");
    if (rounded) s.dtype = kind;
    bert::Text text;
    for (std::int32_t i = 0; i < 300; ++i) (i < 200 ? text.train : text.validation).push_back(5 + i * i % 13);
    check_family(
        s, rounded ? bf16_close : f32_close,
        [&](const auto& settings) { return std::make_unique<bert::Learner>(settings, text); },
        [](bert::Learner& learner) {
          Numbers out;
          for (bert::Learner* l : {&learner, learner.baseline()}) {
            if (!l) continue;
            const bert::Learner::Score score = l->evaluate();
            append(out, {score.loss, score.accuracy, score.next_accuracy.value_or(-1)});
          }
          const std::vector<std::vector<std::int32_t>> sentences = {{2, 5, 3}, {2, 8, 9, 10, 3}, {2, 7, 3}};
          for (const auto pooling : {bert::Pooling::mean, bert::Pooling::none})
            append(out, elements({embed(learner.model().encoder, sentences,
                                        {.pooling = pooling, .normalize = true}, 10)}));
          return out;
        });
  }
}

#endif  // FOVEA_CUDA

}  // namespace
}  // namespace fovea::tests
