#include "fovea/models/stn/learner.h"

#include <algorithm>

#include "fovea/models/data/distort.h"
#include "fovea/models/data/scenes.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/models/training/dtypes.h"
#include "fovea/ops/create.h"
#include "fovea/ops/cross_entropy.h"

namespace fovea::stn {
namespace {

constexpr const char* names[] = {"transformed", "resampled", "full_size"};

enum class Net { cnn, fcn };
constexpr Choices<Net> nets = {{"cnn", Net::cnn}, {"fcn", Net::fcn}};
using Placement = Stn::Placement;
constexpr Choices<Placement> placements = {{"image", Placement::image},
                                           {"features", Placement::features},
                                           {"chain", Placement::chain},
                                           {"parallel", Placement::parallel},
                                           {"none", Placement::none}};
using Kind = SpatialTransformer::Kind;
constexpr Choices<Kind> kinds = {{"affine", Kind::affine},
                                 {"projective", Kind::projective},
                                 {"tps", Kind::thin_plate_spline},
                                 {"attention", Kind::attention}};
constexpr Choices<Surroundings> surroundings = {{"zeros", Surroundings::zeros},
                                                {"border", Surroundings::border}};

// What the two networks are made of. Sizes are those of the Lasagne recipe for cluttered digits, and the
// paper's appendix A.1 for distorted ones.
struct Networks {
  ConvNet::Options localisation, classifier;
};

Networks networks(const Settings& s) {
  if (chosen("stn", "net", s.net, nets) == Net::fcn)
    return {{.hidden = {32, 32, 32}}, {.hidden = {256, 200}}};
  const bool clutter = s.task == "cluttered";
  const bool small = s.placement == "features" && !clutter;  // a map in which no convolution has room
  Networks n{{.filters = {20, 20},
              .kernels = {5, 5},
              .pooling = ConvNet::Pooling::before,
              .hidden = {clutter ? 50 : 20}},
             {}};
  if (small) n.localisation = {.hidden = {32, 32}};
  if (clutter)
    n.classifier = {.filters = {32, 32}, .kernels = {3, 3}, .hidden = {256}};
  else
    n.classifier = {.filters = {32, 32}, .kernels = {9, 7}};
  if (s.task == "addition") n.classifier.hidden = {256};
  return n;
}

// A network on the picture in full size, widened until it has as many parameters as the one with
// transformers.
Stn full_size(Stn::Options o, Index parameters, Generator& random) {
  o.placement = Stn::Placement::none;
  o.size = o.height;
  for (;;) {
    Stn model(o, random);
    if (parameter_count(model) >= parameters) return model;
    for (std::vector<Index>* widths : {&o.classifier.filters, &o.classifier.hidden})
      for (Index& width : *widths) width += (width + 7) / 8;
  }
}

}  // namespace

std::vector<Setting> Settings::own() {
  return {{"task", &task, "What to learn"},
          {"data", &data, "The digits"},
          {"placement", &placement, "Where the transformers are", 0, words_of(placements)},
          {"kind", &kind, "What they can do", 0, words_of(kinds)},
          {"net", &net, "fcn is fully connected", 0, words_of(nets)},
          {"size", &size, "Pixels a side of what a transformer gives", 1},
          {"padding", &padding, "What lies around a picture", 0, words_of(surroundings)},
          {"theta_reg", &theta_reg, "Weight of |theta - identity|^2"},
          {"loc_lr_mult", &loc_lr_mult, "The localisation net's learning rate, as a multiple"},
          {"fresh", &fresh, "Distort every digit anew in every epoch"},
          {"with_baseline", &with_baseline, "Also train the two baselines, on the same batches"},
          {"dtype", &dtype, "Of weights and arithmetic", 0, words_of(dtypes)}};
}

Stn::Options network_for(const Settings& s, const Shape& picture) {
  Networks n = networks(s);
  n.localisation.dtype = n.classifier.dtype = chosen("stn", "type", s.dtype, dtypes);
  return {.channels = picture[1],
          .height = picture[2],
          .width = picture[3],
          .classes = s.task == "addition" ? 19 : 10,
          .placement = chosen("stn", "placement", s.placement, placements),
          .kind = chosen("stn", "kind of transformer", s.kind, kinds),
          .size = s.size,
          .padding = chosen("stn", "padding", s.padding, surroundings),
          .localisation = n.localisation,
          .classifier = n.classifier};
}

void Learner::Models::each(Visitor& v) {
  for (std::size_t i = 0; i < all.size(); ++i) v(names[i], all[i]);
}

Learner::Learner(const Settings& settings, PictureSet digits)
    : fovea::Learner(settings),
      settings_(settings),
      digits_(std::move(digits)),
      loader_(
          digits_.train.size(),
          [this](std::span<const Index> indices, Index epoch) {
            const Generator random(settings_.seed, static_cast<std::uint64_t>(settings_.fresh ? epoch : 0));
            const LabelledImages batch = scenes(settings_.task, digits_.train, indices, random);
            return Loader::Batch{input(batch.images), batch.labels};
          },
          {.batch_size = settings.batch_size}, data_) {
  Generator random = Generator(settings.seed).fork(weights_stream);
  Stn::Options o = network_for(settings, test_scenes(0, 1).images.shape());
  models_.all.push_back(Stn(o, random));
  if (settings.with_baseline) {
    const Index parameters = parameter_count(models_.all.front());
    models_.all.push_back(full_size(o, parameters, random));
    o.placement = Stn::Placement::none;
    models_.all.insert(models_.all.begin() + 1, Stn(o, random));
  }
  start(models_);
  if (!models_.all.front().transformers.empty())
    optimizer().scale_lr(cat(names[0], ".transformers."), settings.loc_lr_mult);
}

Tensor Learner::input(const Tensor& pictures) const {
  return cast(to_unit(pictures), chosen("stn", "type", settings_.dtype, dtypes));
}

Stn::Look Learner::look(const Tensor& pictures) const {
  Stn::Look look = models_.all.front().look(here(input(pictures)));
  look.logits = to(look.logits, Cpu{});
  for (SpatialTransformer::Look& t : look.transformers)
    for (Tensor* part : {&t.theta, &t.grid.points, &t.output}) *part = to(*part, Cpu{});
  return look;
}

LabelledImages Learner::test_scenes(Index from, Index count) const {
  return scenes(settings_.task, digits_.test, every_index(count, from),
                Generator(2015).fork(evaluation_stream));
}

Batch Learner::draw() { return loader_.next(); }

Tensor Learner::cost(const Batch& batch) {
  const Tensor &x = batch[0], &labels = batch[1];
  Tensor sum;
  for (const Stn& model : models_.all) {
    const Stn::Look look = model.look(x);
    Tensor loss = softmax_cross_entropy(look.logits, labels);
    if (settings_.theta_reg > 0 && !look.transformers.empty())
      loss = loss + affine(model.penalty(look), settings_.theta_reg, 0);
    sum = sum.defined() ? sum + loss : loss;
  }
  return sum;
}

Learner::Score Learner::evaluate(Index count) const {
  const Index total = count > 0 ? std::min(count, digits_.test.size()) : digits_.test.size();
  const auto classes = static_cast<std::size_t>(models_.all.front().options.classes);
  Score score{std::vector<double>(models_.all.size()),
              std::vector<std::vector<Index>>(classes, std::vector<Index>(classes))};
  constexpr Index most = 250;
  for (Index from = 0; from < total; from += most) {
    const LabelledImages batch = test_scenes(from, std::min(most, total - from));
    const Tensor x = here(input(batch.images));
    const auto labels = batch.labels.values<std::int32_t>();
    for (std::size_t m = 0; m < models_.all.size(); ++m) {
      const Tensor logits = to(cast(models_.all[m].forward(x), DType::f32), Cpu{});
      const float* row = logits.data<float>();
      for (std::size_t b = 0; b < labels.size(); ++b, row += classes) {
        const auto answer = static_cast<std::size_t>(std::max_element(row, row + classes) - row);
        const auto label = static_cast<std::size_t>(labels[b]);
        if (answer != label) ++score.error_percent[m];
        if (m == 0) ++score.confusion[label][answer];
      }
    }
  }
  for (double& wrong : score.error_percent) wrong = 100 * wrong / static_cast<double>(total);
  return score;
}

std::vector<NamedTensor> Learner::tensors() { return named_tensors(models_); }

void Learner::load(const std::vector<NamedTensor>& tensors) {
  load_tensors(models_, tensors, true, "the checkpoint");
}

LabelledImages scenes(const std::string& task, const LabelledImages& digits, std::span<const Index> indices,
                      const Generator& random) {
  if (task == "cluttered") return cluttered(digits, indices, {}, random);
  if (task == "addition") return digit_sums(digits, indices, random);
  std::string upper = task;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return distort(digits, indices, distortion_of(upper), random);
}

}  // namespace fovea::stn
