#include "fovea/models/training/learner.h"

#include <algorithm>
#include <cmath>

#include "fovea/core/safetensors.h"
#include "fovea/core/tape.h"
#include "fovea/models/training/clip.h"
#include "fovea/ops/create.h"

namespace fovea {
namespace {

enum class Rule { adam, adamw, rmsprop, sgd };
constexpr Choices<Rule> rules = {
    {"adam", Rule::adam}, {"adamw", Rule::adamw}, {"rmsprop", Rule::rmsprop}, {"sgd", Rule::sgd}};

enum class Curve { cosine, cooldown, noam, constant };
constexpr Choices<Curve> curves = {{"cosine", Curve::cosine},
                                   {"cooldown", Curve::cooldown},
                                   {"noam", Curve::noam},
                                   {"constant", Curve::constant}};

std::unique_ptr<Optimizer> make_optimizer(const TrainingSettings& s, FlatParameters flat) {
  switch (chosen("train", "optimizer", s.optimizer, rules)) {
    case Rule::adam:
      return std::make_unique<Adam>(std::move(flat), Adam::Options{.lr = s.lr, .beta2 = s.beta2});
    case Rule::adamw:
      return std::make_unique<AdamW>(
          std::move(flat),
          AdamW::Options{
              .lr = s.lr, .beta2 = s.beta2, .weight_decay = s.weight_decay, .decay_vectors = false});
    case Rule::rmsprop:
      return std::make_unique<GravesRmsProp>(std::move(flat), GravesRmsProp::Options{.lr = s.lr});
    default:
      return std::make_unique<Sgd>(std::move(flat), Sgd::Options{.lr = s.lr, .momentum = 0.9});
  }
}

}  // namespace

std::vector<Setting> TrainingSettings::list() {
  return {{"steps", &steps, "Updates to make in all", 1},
          {"batch_size", &batch_size, "Examples in a batch", 1},
          {"optimizer", &optimizer, "rmsprop is in Graves' form, sgd with momentum 0.9", 0, words_of(rules)},
          {"lr", &lr, "Learning rate", 1e-12},
          {"beta2", &beta2, "Of adam and adamw: how long squares of gradients count"},
          {"weight_decay", &weight_decay, "Of adamw, for matrices"},
          {"schedule", &schedule, "Of the learning rate", 0, words_of(curves)},
          {"warmup", &warmup, "Updates over which cosine, noam and constant rise to the learning rate"},
          {"final_lr", &final_lr, "Learning rate where cosine ends"},
          {"clip_norm", &clip_norm, "Clip the gradients' norm; 0: not"},
          {"clip_value", &clip_value, "Clip every gradient component; 0: not"},
          {"seed", &seed, "Seed of all random numbers"}};
}

Schedule make_schedule(const TrainingSettings& s) {
  switch (chosen("train", "schedule", s.schedule, curves)) {
    case Curve::cosine:
      return CosineSchedule{.lr = s.lr, .steps = s.steps, .warmup = s.warmup, .minimum = s.final_lr};
    case Curve::cooldown:
      return CooldownSchedule{.lr = s.lr, .steps = s.steps};
    case Curve::noam: {  // scaled so that lr is what it reaches
      const Index warmup = std::max<Index>(s.warmup, 1);
      return InverseSquareRootSchedule{
          .d_model = 1, .warmup = warmup, .scale = s.lr * std::sqrt(static_cast<double>(warmup))};
    }
    default:
      return ConstantSchedule{.lr = s.lr, .warmup = s.warmup};
  }
}

void Learner::start(FlatParameters parameters) {
  require(rules_.batch_size > 0, "train", "batch_size is ", rules_.batch_size, "; it must be at least 1");
  optimizer_ = make_optimizer(rules_, std::move(parameters));
  schedule_ = make_schedule(rules_);
}

Tensor Learner::here(const Tensor& x) const { return x.defined() ? to(x, rules_.device) : x; }

void Learner::to_host(std::vector<Tensor>& tensors) {
  for (Tensor& t : tensors) t = to(t, Cpu{});
}

Index Learner::parameters() const {
  Index n = 0;
  for (const auto& s : optimizer_->parameters().segments) n += s.length;
  return n;
}

double Learner::step() {
  const Batch batch = draw();
  const Generator::State before = data_.state();
  const Index made = steps();
  const auto undo = [&] {
    optimizer_->set_steps(made);
    try {
      optimizer_->parameters().zero_gradients();
    } catch (const Error&) {  // where a GPU is lost, the first error tells more
    }
  };
  for (;;) try {
      return update(batch);
    } catch (const OutOfMemory&) {
      undo();
      if (replays_.graphs() == 0) throw;
      replays_.stop();  // graphs hold much of it: again without them
      data_.set_state(before);
    } catch (...) {
      undo();
      throw;
    }
}

// Queues all of it before the host looks at anything. Where it throws, no parameter has changed.
double Learner::update(const Batch& batch) {
  const FlatParameters& flat = optimizer_->parameters();
  const Index step = steps() + 1;
  flat.check_current("train");  // a replay would not ask
  optimizer_->set_lr(schedule_(steps()));
  const Tensor seen = replays_(batch, device(), [&](const Batch& there) {
    Tape tape;
    const Tensor loss = cost(there);
    tape.backward(loss);
    if (rules_.clip_value > 0) clip_by_value(flat, rules_.clip_value);
    const Tensor both = loss_and_norm(loss, flat);
    optimizer_->step(both, rules_.clip_norm);
    return std::vector{both};
  })[0];
  const Tensor found = to(seen, Cpu{});
  const double loss = found.values<double>()[0], norm = found.values<double>()[1];
  check_finite(step, loss, flat, norm);
  return loss;
}

Checkpoint Learner::checkpoint() {
  Checkpoint c{.step = steps(),
               .model = tensors(),
               .optimizer = optimizer_->state(),
               .generators = {{"data", data_.state()}},
               .meta = settings_json()};
  if (const Loader* batches = loader()) c.generators["order"] = batches->state();
  return c;
}

void Learner::restore(const Checkpoint& c) {
  load(c.model);
  optimizer_->load_state(c.optimizer);
  const auto state = [&](const char* name) {
    const auto at = c.generators.find(name);
    require(at != c.generators.end(), "train", "the checkpoint has no random state named ", name);
    return at->second;
  };
  data_.set_state(state("data"));
  if (Loader* batches = loader()) batches->set_state(state("order"));
}

void Learner::save_weights(const std::filesystem::path& file) { save_safetensors(file, tensors()); }

}  // namespace fovea
