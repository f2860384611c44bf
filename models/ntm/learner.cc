#include "fovea/models/ntm/learner.h"

#include <cmath>
#include <numbers>

#include "fovea/core/tape.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/models/training/clip.h"
#include "fovea/ops/bce.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"

namespace fovea::ntm {
namespace {

// Streams of one seed, so that data and weights do not depend on how many numbers the other has drawn.
enum Stream : std::uint64_t { weights, data, evaluation };

template <class Choice>
Choice chosen(const char* what, const std::string& value,
              std::initializer_list<std::pair<const char*, Choice>> choices) {
  std::string names;
  for (const auto& [name, choice] : choices) {
    if (value == name) return choice;
    names += cat(names.empty() ? "" : ", ", name);
  }
  fail("ntm", "'", value, "' is not a ", what, "; there are ", names);
}

std::variant<Ntm, LstmBaseline> make_model(const Settings& s, const Task& task) {
  Generator random = Generator(s.seed).fork(weights);
  enum class Kind { ntm, lstm };
  if (chosen<Kind>("model", s.model, {{"ntm", Kind::ntm}, {"lstm", Kind::lstm}}) == Kind::lstm)
    return LstmBaseline({.inputs = task.inputs(), .outputs = task.outputs(), .size = s.lstm_size}, random);
  return Ntm({.inputs = task.inputs(),
              .outputs = task.outputs(),
              .controller = chosen<Ntm::Controller>(
                  "controller", s.controller,
                  {{"lstm", Ntm::Controller::lstm}, {"feedforward", Ntm::Controller::feedforward}}),
              .controller_size = s.controller_size,
              .controller_layers = s.controller_layers,
              .read_heads = s.read_heads,
              .write_heads = s.write_heads,
              .rows = s.memory_rows,
              .width = s.memory_width,
              .start = chosen<Ntm::Start>("start", s.start,
                                          {{"constant", Ntm::Start::constant},
                                           {"learned", Ntm::Start::learned},
                                           {"random", Ntm::Start::random}}),
              .tanh_heads = chosen<bool>("kind of heads", s.heads, {{"tanh", true}, {"linear", false}})},
             random);
}

std::unique_ptr<Optimizer> make_optimizer(const Settings& s, FlatParameters flat) {
  enum class Kind { adam, rmsprop };
  if (chosen<Kind>("optimizer", s.optimizer, {{"adam", Kind::adam}, {"rmsprop", Kind::rmsprop}}) ==
      Kind::adam)
    return std::make_unique<Adam>(std::move(flat), Adam::Options{.lr = s.lr});
  return std::make_unique<GravesRmsProp>(std::move(flat), GravesRmsProp::Options{.lr = s.lr});
}

Schedule make_schedule(const Settings& s) {
  if (chosen<bool>("schedule", s.schedule, {{"cosine", true}, {"constant", false}}))
    return CosineSchedule{.lr = s.lr, .steps = s.steps};
  return ConstantSchedule{.lr = s.lr};
}

}  // namespace

Learner::Learner(const Settings& settings)
    : settings_(settings),
      task_(make_task(settings.task)),
      model_(make_model(settings, *task_)),
      data_(Generator(settings.seed).fork(data)),
      optimizer_(make_optimizer(settings, std::visit([](auto& m) { return flatten(m); }, model_))),
      schedule_(make_schedule(settings)) {
  require(settings.batch_size > 0, "ntm", "batch_size is ", settings.batch_size, "; it must be at least 1");
}

Index Learner::parameters() const {
  Index n = 0;
  for (const auto& s : optimizer_->parameters().segments) n += s.length;
  return n;
}

Tensor Learner::logits(const Episode& e, Trace* trace) const {
  if (const auto* ntm = std::get_if<Ntm>(&model_)) return ntm->forward(e.input, e.scored, trace);
  return std::get<LstmBaseline>(model_).forward(e.input, e.scored);
}

Tensor Learner::cost(const Tensor& logits, const Episode& e) {
  const Index T = e.target.size(0);
  return bce_with_logits(logits, slice(e.target, 0, T - e.scored, T), Reduction::sum);
}

double Learner::step() {
  const Episode e = task_->draw(settings_.batch_size, data_);
  double nats;  // of one sequence
  {
    Tape tape;
    const Tensor loss = affine(cost(logits(e), e), 1.0 / static_cast<double>(settings_.batch_size), 0);
    nats = loss.item<double>();
    tape.backward(loss);
  }
  const FlatParameters& flat = optimizer_->parameters();
  if (settings_.clip_value > 0) clip_by_value(flat, settings_.clip_value);
  const double norm = settings_.clip_norm > 0 ? clip_by_norm(flat, settings_.clip_norm) : gradient_norm(flat);
  check_finite(steps() + 1, nats, flat, norm);
  optimizer_->set_lr(schedule_(steps()));
  optimizer_->step();
  return nats / std::numbers::ln2;
}

Score Learner::evaluate(Index sequences, EpisodeSize size, std::uint64_t seed) const {
  Generator random = Generator(seed).fork(evaluation);
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

Checkpoint Learner::checkpoint() {
  return {.step = steps(),
          .model = tensors(),
          .optimizer = optimizer_->state(),
          .generators = {{"data", data_.state()}},
          .meta = settings_.to_json()};
}

Settings Learner::settings_of(const Checkpoint& c) { return Settings::from_json(c.meta); }

void Learner::restore(const Checkpoint& c) {
  std::visit([&](auto& m) { load_tensors(m, c.model, true, "the checkpoint"); }, model_);
  optimizer_->load_state(c.optimizer);
  const auto data = c.generators.find("data");
  require(data != c.generators.end(), "ntm", "the checkpoint has no random state named data");
  data_.set_state(data->second);
}

void Learner::save_weights(const std::filesystem::path& file) { save_safetensors(file, tensors()); }

}  // namespace fovea::ntm
