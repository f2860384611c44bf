#include "fovea/models/ntm/learner.h"

#include <cmath>
#include <numbers>

#include "fovea/models/layers/weights_file.h"
#include "fovea/ops/bce.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"

namespace fovea::ntm {
namespace {

std::variant<Ntm, LstmBaseline> make_model(const Settings& s, const Task& task, Generator random) {
  enum class Kind { ntm, lstm };
  if (chosen<Kind>("ntm", "model", s.model, {{"ntm", Kind::ntm}, {"lstm", Kind::lstm}}) == Kind::lstm)
    return LstmBaseline({.inputs = task.inputs(), .outputs = task.outputs(), .size = s.lstm_size}, random);
  return Ntm(
      {.inputs = task.inputs(),
       .outputs = task.outputs(),
       .controller = chosen<Ntm::Controller>(
           "ntm", "controller", s.controller,
           {{"lstm", Ntm::Controller::lstm}, {"feedforward", Ntm::Controller::feedforward}}),
       .controller_size = s.controller_size,
       .controller_layers = s.controller_layers,
       .read_heads = s.read_heads,
       .write_heads = s.write_heads,
       .rows = s.memory_rows,
       .width = s.memory_width,
       .start = chosen<Ntm::Start>("ntm", "start", s.start,
                                   {{"constant", Ntm::Start::constant},
                                    {"learned", Ntm::Start::learned},
                                    {"random", Ntm::Start::random}}),
       .focus = s.focus,
       .tanh_heads = chosen<bool>("ntm", "kind of heads", s.heads, {{"tanh", true}, {"linear", false}})},
      random);
}

}  // namespace

Learner::Learner(const Settings& settings)
    : fovea::Learner(settings),
      settings_(settings),
      task_(make_task(settings.task)),
      model_(make_model(settings, *task_, Generator(settings.seed).fork(weights_stream))) {
  start(std::visit([](auto& m) { return flatten(m); }, model_));
}

Tensor Learner::logits(const Episode& e, Trace* trace) const {
  if (const auto* ntm = std::get_if<Ntm>(&model_)) return ntm->forward(e.input, e.scored, trace);
  return std::get<LstmBaseline>(model_).forward(e.input, e.scored);
}

Tensor Learner::cost(const Tensor& logits, const Episode& e) {
  const Index T = e.target.size(0);
  return bce_with_logits(logits, slice(e.target, 0, T - e.scored, T), Reduction::sum);
}

Tensor Learner::cost() {
  const Episode e = task_->draw(settings_.batch_size, data_);
  return affine(cost(logits(e), e), 1.0 / static_cast<double>(settings_.batch_size), 0);
}

double Learner::step() { return fovea::Learner::step() / std::numbers::ln2; }

Score Learner::evaluate(Index sequences, EpisodeSize size, std::uint64_t seed) const {
  Generator random = Generator(seed).fork(evaluation_stream);
  Score score;
  double scored_bits = 0;
  for (Index i = 0; i < sequences; ++i) {
    const Episode e = task_->draw(1, random, size);
    const Tensor x = logits(e);
    const Tensor y = slice(e.target, 0, e.target.size(0) - e.scored, e.target.size(0));
    score.bits += cost(x, e).item<double>() / std::numbers::ln2;
    const auto answers = x.values<float>(), targets = y.values<float>();
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

Tensor Learner::answer(const Episode& e, Trace* trace) const { return sigmoid(logits(e, trace)); }

std::vector<NamedTensor> Learner::tensors() {
  return std::visit([](auto& m) { return named_tensors(m); }, model_);
}

void Learner::load(const std::vector<NamedTensor>& tensors) {
  std::visit([&](auto& m) { load_tensors(m, tensors, true, "the checkpoint"); }, model_);
}

}  // namespace fovea::ntm
