#include <memory>

#include "fovea/core/tape.h"
#include "fovea/models/layers/conv2d.h"
#include "fovea/models/stn/learner.h"
#include "fovea/ops/create.h"
#include "fovea/ops/cross_entropy.h"
#include "tools/bench/workloads.h"

namespace fovea::tools {
namespace {

// One training step of a classifier of cluttered 60x60 digits with an affine transformer to 20x20, Adam.
Step stn_step(const BenchOptions& o) {
  const Index batch = o.batch_size.value_or(256);
  struct State {
    Generator random{1};
    stn::Stn model;
    std::unique_ptr<Adam> optimizer;
    Tensor images, classes;
  };
  auto s = std::make_shared<State>();
  stn::Settings settings = stn::settings_for("cluttered", "cnn", "default");
  settings.size = 20;
  s->model = stn::Stn(stn::network_for(settings, {batch, 1, 60, 60}), s->random);
  move_to(s->model, o.device);
  s->optimizer = std::make_unique<Adam>(flatten(s->model), Adam::Options{});
  s->images = rand_uniform({batch, 1, 60, 60}, s->random);
  s->classes = zeros({batch}, DType::i32);
  for (Index b = 0; b < batch; ++b)
    s->classes.mutable_data<std::int32_t>()[b] = static_cast<std::int32_t>(s->random.below(10));
  for (Tensor* t : {&s->images, &s->classes}) *t = to(*t, o.device);
  return [s] {
    {
      Tape tape;
      tape.backward(softmax_cross_entropy(s->model.forward(s->images), s->classes));
    }
    s->optimizer->step();
  };
}

// One convolution, forward and backward to the image, the weight and the bias.
struct ConvShape {
  Index batch, in, out, kernel, size, padding = 0;
};
Step conv2d_step(const BenchOptions& o, const ConvShape& c) {
  struct State {
    Generator random{1};
    Conv2d layer;
    Tensor x, dy;
  };
  auto s = std::make_shared<State>();
  const Index B = o.batch_size.value_or(c.batch), out = c.size + 2 * c.padding - c.kernel + 1;
  s->layer = Conv2d(
      {.in_channels = c.in, .out_channels = c.out, .kernel_size = c.kernel, .padding = c.padding}, s->random);
  move_to(s->layer, o.device);
  s->x = to(rand_normal({B, c.in, c.size, c.size}, s->random), o.device);
  s->dy = to(rand_normal({B, c.out, out, out}, s->random), o.device);
  return [s] {
    s->layer.weight.zero_grad();
    s->layer.bias.zero_grad();
    Tape tape;
    tape.backward(s->layer.forward(tape.watch(s->x)), {.seed = s->dy});
  };
}

}  // namespace

std::vector<Workload> image_workloads() {
  std::vector<Workload> all = {{"stn", stn_step}};
  // The spatial transformer's four, and two of the sizes that image networks have.
  const std::pair<const char*, ConvShape> convolutions[] = {
      {"conv2d_stn1", {256, 1, 20, 5, 30}},  {"conv2d_stn2", {256, 20, 20, 5, 13}},
      {"conv2d_stn3", {256, 1, 32, 3, 20}},  {"conv2d_stn4", {256, 32, 32, 3, 9}},
      {"conv2d_28", {64, 32, 32, 3, 28, 1}}, {"conv2d_56", {16, 64, 64, 3, 56, 1}}};
  for (const auto& [name, shape] : convolutions)
    all.push_back({name, [shape = shape](const BenchOptions& o) { return conv2d_step(o, shape); }});
  return all;
}

}  // namespace fovea::tools
