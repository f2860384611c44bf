#include "fovea/models/draw/learner.h"

#include <algorithm>

#include "fovea/core/tape.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/models/training/clip.h"
#include "fovea/ops/create.h"
#include "fovea/ops/cross_entropy.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"

namespace fovea::draw {
namespace {

// Streams of one seed, so that noise and weights do not depend on how many numbers the other has drawn.
enum Stream : std::uint64_t { weights, noise, evaluation };

std::variant<Draw, DrawClassifier> make_model(const Settings& s) {
  Generator random = Generator(s.seed).fork(weights);
  if (s.model == "classifier")
    return DrawClassifier({.height = s.height,
                           .width = s.width,
                           .channels = s.channels,
                           .classes = s.classes,
                           .steps = s.glimpses,
                           .hidden = s.hidden,
                           .read_size = s.read_size},
                          random);
  require(s.model == "draw", "draw", "'", s.model, "' is not a model; there are draw and classifier");
  return Draw({.height = s.height,
               .width = s.width,
               .channels = s.channels,
               .steps = s.glimpses,
               .latent = s.latent,
               .hidden = s.hidden,
               .attention = s.attention,
               .read_size = s.read_size,
               .write_size = s.write_size,
               .learned_start = s.learned_start},
              random);
}

Schedule make_schedule(const Settings& s) {
  if (s.schedule == "cosine") return CosineSchedule{.lr = s.lr, .steps = s.steps};
  require(s.schedule == "constant", "draw", "'", s.schedule,
          "' is not a schedule; there are constant, cosine");
  return ConstantSchedule{.lr = s.lr};
}

void check_classes(const Tensor& images, const Tensor& classes) {
  require(classes.defined() && classes.shape() == Shape{images.size(0)}, "draw",
          "the classifier needs the classes of all ", images.size(0), " pictures, i32");
}

}  // namespace

Learner::Learner(const Settings& s)
    : settings_(s),
      model_(make_model(s)),
      noise_(Generator(s.seed).fork(noise)),
      optimizer_(std::make_unique<Adam>(std::visit([](auto& m) { return flatten(m); }, model_),
                                        Adam::Options{.lr = s.lr})),
      schedule_(make_schedule(s)) {
  require(s.batch_size > 0, "draw", "batch_size is ", s.batch_size, "; it must be at least 1");
  require(s.pixels == "sampled" || s.pixels == "threshold" || s.pixels == "grey", "draw", "'", s.pixels,
          "' is no way to make pixels; there are sampled, threshold and grey");
}

Index Learner::parameters() const {
  Index n = 0;
  for (const auto& segment : optimizer_->parameters().segments) n += segment.length;
  return n;
}

const Draw& Learner::draw() const {
  const auto* model = std::get_if<Draw>(&model_);
  require(model, "draw", "the classifier draws no pictures");
  return *model;
}
const DrawClassifier& Learner::classifier() const {
  const auto* model = std::get_if<DrawClassifier>(&model_);
  require(model, "draw", "this model draws and does not classify");
  return *model;
}

Tensor Learner::pixels(const Tensor& images, Generator& random) const {
  Tensor x = images;
  if (x.dtype() == DType::u8) x = affine(cast(x, DType::f32), 1.0 / 255, 0);
  require(x.dtype() == DType::f32, "draw", "pictures are ", images.dtype(), "; they must be u8 or f32");
  require(x.numel() == 0 || (min(x).item() >= 0 && max(x).item() <= 1), "draw",
          "pictures hold values outside [0, 1]; divide them by the largest");
  if (settings_.model == "classifier" || settings_.pixels == "grey") return x;
  Tensor binary = Tensor::empty(x.shape());
  const Tensor grey = contiguous(x);
  const bool sampled = settings_.pixels == "sampled";
  std::transform(grey.data<float>(), grey.data<float>() + grey.numel(), binary.mutable_data<float>(),
                 [&](float p) { return (sampled ? random.uniform() < p : p >= 0.5f) ? 1.0f : 0.0f; });
  return binary;
}

double Learner::step(const Tensor& images, const Tensor& classes) {
  const Tensor x = pixels(images, noise_);
  double nats;
  {
    Tape tape;
    Tensor cost;
    if (const auto* model = std::get_if<DrawClassifier>(&model_)) {
      check_classes(images, classes);
      cost = softmax_cross_entropy(model->forward(x), classes);
    } else {
      cost = draw().loss(x, noise_).total();
    }
    nats = cost.item<double>();
    tape.backward(cost);
  }
  const FlatParameters& flat = optimizer_->parameters();
  const double norm = settings_.clip_norm > 0 ? clip_by_norm(flat, settings_.clip_norm) : gradient_norm(flat);
  check_finite(steps() + 1, nats, flat, norm);
  optimizer_->set_lr(schedule_(steps()));
  optimizer_->step();
  return nats;
}

Score Learner::evaluate(const Tensor& images, const Tensor& classes, std::uint64_t seed) const {
  Generator random = Generator(seed).fork(evaluation);
  const auto* classifier = std::get_if<DrawClassifier>(&model_);
  if (classifier) check_classes(images, classes);
  Score score;
  const Index n = images.size(0);
  require(n > 0, "draw", "there are no pictures to score");
  for (Index i = 0; i < n; i += settings_.batch_size) {
    const Index end = std::min(n, i + settings_.batch_size);
    const double share = static_cast<double>(end - i) / static_cast<double>(n);
    const Tensor x = pixels(slice(images, 0, i, end), random);
    if (classifier) {
      const Tensor logits = classifier->forward(x), y = slice(classes, 0, i, end);
      score.nats += share * softmax_cross_entropy(logits, y).item<double>();
      const Tensor answers = argmax(logits, 1);
      for (Index k = 0; k < end - i; ++k)
        score.wrong_fraction += (answers.at({k}) != y.at({k})) / static_cast<double>(n);
      continue;
    }
    const Bound bound = draw().loss(x, random);
    score.reconstruction += share * bound.reconstruction.item<double>();
    score.kl_per_step.resize(static_cast<std::size_t>(settings_.glimpses));
    for (Index t = 0; t < settings_.glimpses; ++t) {
      const double kl = share * bound.kl.at({t});
      score.kl_per_step[static_cast<std::size_t>(t)] += kl;
      score.kl += kl;
    }
  }
  if (!classifier) score.nats = score.reconstruction + score.kl;
  return score;
}

Tensor Learner::generate(Index n, std::uint64_t seed, Trace* trace) const {
  Generator random = Generator(seed).fork(evaluation);
  return draw().generate(n, random, trace);
}

Tensor Learner::reconstruct(const Tensor& images, std::uint64_t seed, Trace* trace) const {
  Generator random = Generator(seed).fork(evaluation);
  Trace own;
  Trace& t = trace ? *trace : own;
  draw().loss(pixels(images, random), random, &t);
  return sigmoid(t.canvases.back());
}

Tensor Learner::classify(const Tensor& images, Trace* trace) const {
  Generator unused;
  return softmax(classifier().forward(pixels(images, unused), trace));
}

std::vector<NamedTensor> Learner::tensors() {
  return std::visit([](auto& m) { return named_tensors(m); }, model_);
}

Checkpoint Learner::checkpoint() {
  return {.step = steps(),
          .model = tensors(),
          .optimizer = optimizer_->state(),
          .generators = {{"noise", noise_.state()}},
          .meta = settings_.to_json()};
}

Settings Learner::settings_of(const Checkpoint& c) { return Settings::from_json(c.meta); }

void Learner::restore(const Checkpoint& c) {
  const auto random = c.generators.find("noise");
  require(random != c.generators.end(), "draw", "the checkpoint has no random state named noise");
  std::visit([&](auto& m) { load_tensors(m, c.model, true, "the checkpoint"); }, model_);
  optimizer_->load_state(c.optimizer);
  noise_.set_state(random->second);
}

void Learner::save_weights(const std::filesystem::path& file) { save_safetensors(file, tensors()); }

}  // namespace fovea::draw
