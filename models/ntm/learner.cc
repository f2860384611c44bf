#include "fovea/models/ntm/learner.h"

#include <cmath>
#include <numbers>

#include "fovea/models/layers/weights_file.h"
#include "fovea/models/training/dtypes.h"
#include "fovea/ops/bce.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"

namespace fovea::ntm {
namespace {

enum class Kind { ntm, lstm };
constexpr Choices<Kind> kinds = {{"ntm", Kind::ntm}, {"lstm", Kind::lstm}};
constexpr Choices<Ntm::Controller> controllers = {{"lstm", Ntm::Controller::lstm},
                                                  {"feedforward", Ntm::Controller::feedforward}};
constexpr Choices<Ntm::Start> starts = {
    {"constant", Ntm::Start::constant}, {"learned", Ntm::Start::learned}, {"random", Ntm::Start::random}};
constexpr Choices<bool> activations = {{"tanh", true}, {"linear", false}};

std::variant<Ntm, LstmBaseline> make_model(const Settings& s, const Task& task, Generator random) {
  const DType dtype = chosen("ntm", "type", s.dtype, dtypes);
  if (chosen("ntm", "model", s.model, kinds) == Kind::lstm)
    return LstmBaseline(
        {.inputs = task.inputs(), .outputs = task.outputs(), .size = s.lstm_size, .dtype = dtype}, random);
  return Ntm({.inputs = task.inputs(),
              .outputs = task.outputs(),
              .controller = chosen("ntm", "controller", s.controller, controllers),
              .controller_size = s.controller_size,
              .controller_layers = s.controller_layers,
              .read_heads = s.read_heads,
              .write_heads = s.write_heads,
              .rows = s.memory_rows,
              .width = s.memory_width,
              .start = chosen("ntm", "start", s.start, starts),
              .focus = s.focus,
              .tanh_heads = chosen("ntm", "kind of heads", s.heads, activations),
              .dtype = dtype},
             random);
}

// The targets of the scored steps, which are the last: [scored,B,O].
Tensor wanted(const Episode& e) {
  const Index T = e.target.size(0);
  return slice(e.target, 0, T - e.scored, T);
}

}  // namespace

std::vector<Setting> Settings::own() {
  return {{"task", &task, "What to learn"},
          {"model", &model, "lstm is the paper's baseline", 0, words_of(kinds)},
          {"controller", &controller, "The network that works the heads", 0, words_of(controllers)},
          {"controller_size", &controller_size, "Units of the controller", 1},
          {"controller_layers", &controller_layers, "Layers of the controller", 1},
          {"read_heads", &read_heads, "Heads that read", 1},
          {"write_heads", &write_heads, "Heads that write", 1},
          {"memory_rows", &memory_rows, "Rows of the memory, N", 1},
          {"memory_width", &memory_width, "Elements of a row, M", 1},
          {"start", &start, "How the memory starts", 0, words_of(starts)},
          {"focus", &focus, "Logit of row 0 in the weightings that heads start with"},
          {"heads", &heads, "Activation of keys and adds", 0, words_of(activations)},
          {"lstm_size", &lstm_size, "Units of each of the baseline's three layers", 1},
          {"dtype", &dtype, "Of weights and arithmetic", 0, words_of(dtypes)}};
}

Learner::Learner(const Settings& settings)
    : fovea::Learner(settings),
      settings_(settings),
      task_(make_task(settings.task)),
      model_(make_model(settings, *task_, Generator(settings.seed).fork(weights_stream))) {
  std::visit([&](auto& m) { start(m); }, model_);
}

Tensor Learner::logits(const Tensor& episode_input, Index scored, Trace* trace) const {
  const Tensor input = cast(here(episode_input), chosen("ntm", "type", settings_.dtype, dtypes));
  if (const auto* ntm = std::get_if<Ntm>(&model_)) return ntm->forward(input, scored, trace);
  return std::get<LstmBaseline>(model_).forward(input, scored);
}

Tensor Learner::cost(const Tensor& logits, const Episode& e) {
  const Tensor target = cast(wanted(e), logits.dtype());
  return bce_with_logits(logits, to(target, logits.device()), Reduction::sum);
}

Batch Learner::draw() {
  const Episode e = task_->draw(settings_.batch_size, data_);
  return {e.input, contiguous(wanted(e))};
}

Tensor Learner::cost(const Batch& batch) {
  const Tensor x = logits(batch[0], batch[1].size(0));
  return affine(bce_with_logits(x, cast(batch[1], x.dtype()), Reduction::sum),
                1.0 / static_cast<double>(settings_.batch_size), 0);
}

double Learner::step() { return fovea::Learner::step() / std::numbers::ln2; }

Score Learner::evaluate(Index sequences, EpisodeSize size, std::uint64_t seed) const {
  Generator random = Generator(seed).fork(evaluation_stream);
  Score score;
  double scored_bits = 0;
  for (Index i = 0; i < sequences; ++i) {
    const Episode e = task_->draw(1, random, size);
    const Tensor x = logits(e.input, e.scored), y = wanted(e);
    score.bits += cost(x, e).item<double>() / std::numbers::ln2;
    const Tensor plain = to(cast(x, DType::f32), Cpu{});
    const auto answers = plain.values<float>(), targets = y.values<float>();
    for (std::size_t k = 0; k < answers.size(); ++k)
      score.wrong_bits += (answers[k] > 0) != (targets[k] > 0.5f);
    scored_bits += static_cast<double>(answers.size());
    for (double bits : task_->optimal_bits(e)) score.optimal_bits += bits;
  }
  const double n = static_cast<double>(sequences);
  score.wrong_fraction = score.wrong_bits / scored_bits;
  score.bits /= n;
  score.wrong_bits /= n;
  score.optimal_bits /= n;
  return score;
}

Tensor Learner::answer(const Episode& e, Trace* trace) const {
  const Tensor y = to(sigmoid(logits(e.input, e.scored, trace)), Cpu{});
  if (trace)
    for (auto* steps : {&trace->read_weights, &trace->write_weights, &trace->reads, &trace->adds})
      to_host(*steps);
  return y;
}

std::vector<NamedTensor> Learner::tensors() {
  return std::visit([](auto& m) { return named_tensors(m); }, model_);
}

void Learner::load(const std::vector<NamedTensor>& tensors) {
  std::visit([&](auto& m) { load_tensors(m, tensors, true, "the checkpoint"); }, model_);
}

}  // namespace fovea::ntm
