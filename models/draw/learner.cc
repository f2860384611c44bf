#include "fovea/models/draw/learner.h"

#include <algorithm>
#include <cmath>

#include "fovea/models/data/scenes.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/models/training/dtypes.h"
#include "fovea/ops/create.h"
#include "fovea/ops/cross_entropy.h"
#include "fovea/ops/join.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"

namespace fovea::draw {
namespace {

// Numbers of an epoch's generator from here on decide on pixels; those below are scenes'.
constexpr std::uint64_t pixel_streams = std::uint64_t{1} << 32;

enum class Kind { draw, classifier, convnet, shallow };
constexpr Choices<Kind> kinds = {{"draw", Kind::draw},
                                 {"classifier", Kind::classifier},
                                 {"convnet", Kind::convnet},
                                 {"shallow", Kind::shallow}};
enum class Grain { sampled, threshold, grey };
constexpr Choices<Grain> grains = {
    {"sampled", Grain::sampled}, {"threshold", Grain::threshold}, {"grey", Grain::grey}};

std::variant<Draw, DrawClassifier, ConvNet> make_model(const Settings& s, Generator random) {
  const DType dtype = chosen("draw", "type", s.dtype, dtypes);
  const Kind kind = chosen("draw", "model", s.model, kinds);
  if (kind == Kind::convnet || kind == Kind::shallow) {
    ConvNet::Options o{.channels = s.channels,
                       .height = s.height,
                       .width = s.width,
                       .filters = {16, 32},
                       .kernels = {5, 5},
                       .pooling = ConvNet::Pooling::before,
                       .hidden = {256},
                       .outputs = s.classes,
                       .dtype = dtype};
    if (kind == Kind::shallow) {
      o.filters = {8};
      o.kernels = {10};
      o.stride = 5;
      o.pooling = ConvNet::Pooling::none;
    }
    return ConvNet(o, random);
  }
  if (kind == Kind::classifier) {
    require(s.attention, "draw", "the classifier sees through its window alone; it needs attention");
    return DrawClassifier({.height = s.height,
                           .width = s.width,
                           .channels = s.channels,
                           .classes = s.classes,
                           .steps = s.glimpses,
                           .hidden = s.hidden,
                           .read_size = s.read_size,
                           .dtype = dtype},
                          random);
  }
  return Draw({.height = s.height,
               .width = s.width,
               .channels = s.channels,
               .steps = s.glimpses,
               .latent = s.latent,
               .hidden = s.hidden,
               .attention = s.attention,
               .read_size = s.read_size,
               .write_size = s.write_size,
               .learned_start = s.learned_start,
               .dtype = dtype},
              random);
}

// A canvas that starts as the mean picture. From 0, every write must first be so wide that together they
// paint the background: for hundreds of updates the windows learn nothing else.
void start_canvas(Draw& model, const Tensor& pictures) {
  Tensor share = clamp(mean(pictures, 0), 0.01, 0.99);
  auto* p = share.mutable_data<float>();
  std::transform(p, p + share.numel(), p, [](float x) { return std::log(x / (1 - x)); });
  assign(model.canvas.detach(), share);
}

// What decides on an epoch's scenes and pixels, apart from all streams that are forks of the seed's own.
Generator chance(const Settings& s, Index epoch) {
  return Generator(s.seed, static_cast<std::uint64_t>(epoch) + 1);
}

}  // namespace

std::vector<Setting> Settings::own() {
  return {{"task", &task, "What to learn"},
          {"data", &data, "The pictures"},
          {"model", &model, "classifier looks and names the class; convnet and shallow do so without looking",
           0, words_of(kinds)},
          {"height", &height, "Of a picture", 1},
          {"width", &width, "Of a picture", 1},
          {"channels", &channels, "Of a picture", 1},
          {"classes", &classes, "Of a classifier", 1},
          {"glimpses", &glimpses, "Steps in which a picture is drawn, T", 1},
          {"latent", &latent, "Random numbers in a step", 1},
          {"hidden", &hidden, "Units of each LSTM", 1},
          {"attention", &attention, "Read and write through windows; without, the whole picture at once"},
          {"read_size", &read_size, "Filters a side of the read window, N", 1},
          {"write_size", &write_size, "Filters a side of the write window, N", 1},
          {"learned_start", &learned_start, "Learn the canvas and the states to start with; else 0"},
          {"pixels", &pixels, "From grey values; sampled is anew every time", 0, words_of(grains)},
          {"dtype", &dtype, "Of weights and arithmetic", 0, words_of(dtypes)}};
}

Learner::Learner(const Settings& settings, PictureSet pictures)
    : fovea::Learner(settings),
      settings_(settings),
      pictures_(std::move(pictures)),
      model_(make_model(settings, Generator(settings.seed).fork(weights_stream))) {
  chosen("draw", "way to make pixels", settings.pixels, grains);
  std::visit([&](auto& m) { start(m); }, model_);
  totals_ = here(zeros({2}, DType::f64));
  if (pictures_.test.size() > 0) check(test_pictures(every_index(1)));
  if (pictures_.train.size() == 0) return;
  check(train_pictures(every_index(1)));
  if (auto* model = std::get_if<Draw>(&model_); model && settings.learned_start)
    start_canvas(*model, to_unit(train_pictures(spread_indices(1000, pictures_.train.size())).images));
  loader_.emplace(
      pictures_.train.size(),
      [this](std::span<const Index> indices, Index epoch) {
        const Generator random = chance(settings_, epoch);
        const LabelledImages batch = scenes(pictures_.train, indices, random);
        Generator grain = random.fork(pixel_streams + static_cast<std::uint64_t>(indices[0]));
        return Loader::Batch{pixels(batch.images, grain), batch.labels};
      },
      LoaderOptions{.batch_size = settings.batch_size}, data_);
}

// Throws where these are not what the model takes.
void Learner::check(const LabelledImages& p) const {
  const Settings& s = settings_;
  require(p.images.dtype() == DType::u8, "draw", "pictures are ", p.images.dtype(), "; they must be u8");
  require(p.images.shape() == Shape{p.size(), s.channels, s.height, s.width}, "draw", "a picture is ",
          p.images.shape(), ", not (1,", s.channels, ",", s.height, ",", s.width, ")");
  require(!s.classifies() || (p.labels.defined() && p.labels.shape() == Shape{p.size()}), "draw",
          "a classifier needs the class of every picture, one each; ", s.data, " has none such");
}

LabelledImages Learner::scenes(const LabelledImages& from, std::span<const Index> indices,
                               const Generator& random) const {
  if (settings_.task == "two-digits") return two_digits(from, indices, random, settings_.height);
  if (settings_.task == "cluttered")
    return cluttered(from, indices, {.size = settings_.height, .pieces = 8, .piece_size = 8}, random);
  return gather(from, indices);
}

LabelledImages Learner::train_pictures(std::span<const Index> numbers) const {
  return scenes(pictures_.train, numbers, chance(settings_, 0));
}
LabelledImages Learner::test_pictures(std::span<const Index> numbers) const {
  return scenes(pictures_.test, numbers, Generator(2015).fork(evaluation_stream));
}

const Draw& Learner::model() const {
  const auto* model = std::get_if<Draw>(&model_);
  require(model, "draw", "a classifier draws no pictures");
  return *model;
}
Tensor Learner::logits(const Tensor& x, Trace* trace) const {
  if (const auto* model = std::get_if<DrawClassifier>(&model_)) return model->forward(x, trace);
  require(settings_.classifies(), "draw", "this model draws and does not classify");
  require(!trace, "draw", "a conv net looks through no window");
  return std::get<ConvNet>(model_).forward(x);
}

Tensor Learner::pixels(const Tensor& images, Generator& random) const {
  Tensor x = to_unit(images);
  const DType dtype = chosen("draw", "type", settings_.dtype, dtypes);
  if (settings_.classifies() || settings_.pixels == "grey") return cast(x, dtype);
  const bool sampled = settings_.pixels == "sampled";
  auto* p = x.mutable_data<float>();
  std::transform(p, p + x.numel(), p, [&](float grey) {
    if (grey == 0 || grey == 1) return grey;
    return (sampled ? random.uniform() < grey : grey >= 0.5f) ? 1.0f : 0.0f;
  });
  return cast(x, dtype);
}

Batch Learner::draw() {
  require(loader_.has_value(), "draw", "there are no pictures to learn from");
  Batch batch = loader_->next();
  seen_ += batch[0].size(0);
  if (!settings_.classifies()) batch.resize(1);
  return batch;
}

Tensor Learner::cost(const Batch& batch) {
  const Tensor& x = batch[0];
  if (settings_.classifies()) return softmax_cross_entropy(logits(x), batch[1]);
  const Bound bound = model().loss(x, data_);
  const Tensor parts = stack({bound.reconstruction.detach(), sum(bound.kl.detach())}, 0);
  assign(totals_, totals_ + affine(cast(parts, DType::f64), static_cast<double>(x.size(0)), 0));
  return bound.total();
}

Score Learner::take_training_score() {
  const Tensor means = to(affine(totals_, 1 / static_cast<double>(std::max<Index>(seen_, 1)), 0), Cpu{});
  const auto part = means.values<double>();
  seen_ = 0;
  assign(totals_, zeros_like(totals_));
  return {.nats = part[0] + part[1], .reconstruction = part[0], .kl = part[1], .kl_per_step = {}};
}

Score Learner::evaluate(Index count, std::uint64_t seed) const {
  Generator random = Generator(seed).fork(evaluation_stream);
  const Index all = pictures_.test.size();
  const std::vector<Index> scored = spread_indices(count > 0 ? count : all, all);
  const auto n = static_cast<Index>(scored.size());
  require(n > 0, "draw", "there are no pictures to score");
  Score score;
  Index wrong = 0;
  for (Index from = 0; from < n; from += settings_.batch_size) {
    const Index size = std::min(settings_.batch_size, n - from);
    const double share = static_cast<double>(size) / static_cast<double>(n);
    const LabelledImages batch = test_pictures(
        std::span(scored).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(size)));
    const Tensor x = here(pixels(batch.images, random));
    if (settings_.classifies()) {
      const Tensor said = logits(x), answers = to(argmax(said, 1), Cpu{});
      score.nats += share * softmax_cross_entropy(said, here(batch.labels)).item<double>();
      for (Index k = 0; k < size; ++k) wrong += answers.at({k}) != batch.labels.at({k});
      continue;
    }
    const Bound bound = model().loss(x, random);
    const Tensor kl_per_step = to(bound.kl, Cpu{});
    score.reconstruction += share * bound.reconstruction.item<double>();
    score.kl_per_step.resize(static_cast<std::size_t>(settings_.glimpses));
    for (Index t = 0; t < settings_.glimpses; ++t) {
      const double kl = share * kl_per_step.at({t});
      score.kl_per_step[static_cast<std::size_t>(t)] += kl;
      score.kl += kl;
    }
  }
  score.wrong_fraction = static_cast<double>(wrong) / static_cast<double>(n);
  if (!settings_.classifies()) score.nats = score.reconstruction + score.kl;
  return score;
}

Tensor Learner::generate(Index n, std::uint64_t seed, Trace* trace) const {
  Generator random = Generator(seed).fork(evaluation_stream);
  return returned(model().generate(n, random, trace), trace);
}

Tensor Learner::reconstruct(const Tensor& images, std::uint64_t seed, Trace* trace) const {
  Generator random = Generator(seed).fork(evaluation_stream);
  Trace own;
  Trace& t = trace ? *trace : own;
  model().loss(here(pixels(images, random)), random, &t);
  return returned(sigmoid(t.canvases.back()), trace);
}

Tensor Learner::classify(const Tensor& images, Trace* trace) const {
  const Tensor x = here(cast(to_unit(images), chosen("draw", "type", settings_.dtype, dtypes)));
  return returned(softmax(logits(x, trace)), trace);
}

Tensor Learner::returned(const Tensor& probabilities, Trace* trace) {
  if (trace)
    for (auto* steps : {&trace->canvases, &trace->read_windows, &trace->write_windows}) to_host(*steps);
  return to(cast(probabilities, DType::f32), Cpu{});
}

std::vector<NamedTensor> Learner::tensors() {
  return std::visit([](auto& m) { return named_tensors(m); }, model_);
}

void Learner::load(const std::vector<NamedTensor>& tensors) {
  std::visit([&](auto& m) { load_tensors(m, tensors, true, "the checkpoint"); }, model_);
}

}  // namespace fovea::draw
