#include "fovea/models/draw/draw.h"

#include "fovea/models/draw/classifier.h"
#include "fovea/models/training/clip.h"
#include "fovea/models/training/optimizer.h"
#include "fovea/ops/cross_entropy.h"
#include "fovea/ops/draw_attention.h"
#include "tests/golden.h"

namespace fovea::tests {
namespace {

using namespace fovea::draw;

// Gives the model a case's parameters, makes one step, and compares all that comes of it.
template <class Model, class Forward>
void check_step(const std::string& name, Model& model, Forward&& cost_of) {
  INFO(name);
  const NpzFile file = golden("draw.npz");
  const std::vector<NamedParameter> parameters = named_parameters(model);
  Adam optimizer(flatten(model), {.lr = 1e-2});
  std::size_t count = 0;
  for (const std::string& member : file.names()) count += member.rfind(name + "/p/", 0) == 0;
  CHECK(parameters.size() == count);
  for (const auto& [parameter, p] : parameters) assign(p, file.get(cat(name, "/p/", parameter)));
  {
    Tape tape;
    const Tensor cost = cost_of(file);
    CHECK(difference(cost.detach(), file.get(name + "/cost")) < 1e-12);
    tape.backward(cost);
  }
  for (const auto& [parameter, p] : parameters)
    CHECK_MESSAGE(difference(p.grad(), file.get(cat(name, "/g/", parameter))) < 1e-10, parameter);
  clip_by_norm(optimizer.parameters(), 1);
  optimizer.step();
  for (const auto& [parameter, p] : parameters)
    CHECK_MESSAGE(difference(p, file.get(cat(name, "/after/", parameter))) < 1e-8, parameter);
}

TEST_CASE("draw: a whole training step as PyTorch makes it") {
  for (bool attention : {true, false}) {
    Generator init(1);
    Draw model({.height = 6,
                .width = 5,
                .channels = attention ? 2 : 1,
                .steps = 4,
                .latent = 3,
                .hidden = 5,
                .attention = attention,
                .read_size = 2,
                .write_size = 3,
                .dtype = DType::f64},
               init);
    const std::string name = attention ? "attention" : "plain";
    check_step(name, model, [&](const NpzFile& file) {
      Generator noise(7);
      Trace trace;
      const Bound bound = model.loss(file.get(name + "/images"), noise, &trace);
      CHECK(difference(bound.reconstruction.detach(), file.get(name + "/reconstruction")) < 1e-12);
      CHECK(difference(bound.kl.detach(), file.get(name + "/kl")) < 1e-12);
      CHECK(trace.canvases.size() == 4);
      CHECK(difference(trace.canvases.back(), file.get(name + "/canvas")) < 1e-12);
      CHECK(trace.read_windows.size() == (attention ? 4 : 0));
      CHECK(trace.write_windows.size() == (attention ? 4 : 0));
      return bound.total();
    });
  }
}

TEST_CASE("draw: a whole training step of the classifier as PyTorch makes it") {
  Generator init(1);
  DrawClassifier model(
      {.height = 6, .width = 5, .classes = 4, .steps = 4, .hidden = 5, .read_size = 3, .dtype = DType::f64},
      init);
  check_step("classifier", model, [&](const NpzFile& file) {
    const Tensor logits = model.forward(file.get("classifier/images"));
    CHECK(difference(logits.detach(), file.get("classifier/logits")) < 1e-12);
    return softmax_cross_entropy(logits, Tensor::from(std::vector<std::int32_t>{2, 0, 3}, {3}));
  });
}

TEST_CASE("draw: parameters as the reference sheet counts them") {
  const auto count = [](const Draw::Options& o) {
    Generator random(1);
    Draw model(o, random);
    return parameter_count(model);
  };
  // The paper's MNIST model and, beside it, what it learns to start from: a canvas and two LSTMs' states.
  CHECK(count({.steps = 64, .latent = 100, .read_size = 2, .write_size = 5, .learned_start = false}) ==
        959467);
  CHECK(count({.steps = 64, .latent = 100, .read_size = 2, .write_size = 5}) == 959467 + 784 + 4 * 256);
  CHECK(count({.learned_start = false}) == 864055);
  CHECK(count({.latent = 100, .attention = false, .learned_start = false}) == 2749400);
  CHECK(count({.attention = false, .learned_start = false}) == 2610980);
}

TEST_CASE("draw: it starts by looking at the whole picture") {
  Generator random(1);
  const Draw model({}, random);
  Trace trace;
  model.loss(full({2, 1, 28, 28}, 0.5), random, &trace);
  const DrawGrid first = draw_grids(trace.read_windows[0], 5, 28, 28)[1];
  CHECK(first.stride == 6.75);  // h^dec_0 is 0, and so is the bias
  CHECK(first.x - first.reach == 0);
  CHECK(first.y + first.reach == 27);
}

TEST_CASE("draw: latents are drawn anew at every step and for every picture") {
  // With sigma = e^0 and mu = 0 the decoder sees nothing but noise: two pictures and two steps must differ.
  Generator random(1);
  Draw model({.height = 4, .width = 4, .steps = 2, .latent = 2, .hidden = 3, .attention = false}, random);
  init::constant(model.latent.weight, 0);
  init::constant(model.latent.bias, 0);
  init::constant(model.decoder.weight_hh, 0);
  init::constant(slice(model.decoder.bias_ih.detach(), 0, 3, 6), -100);  // forgets
  Trace trace;
  const Bound bound = model.loss(full({2, 1, 4, 4}, 0.5), random, &trace);
  CHECK(bound.kl.at({0}) == 0);
  const Tensor step1 = trace.canvases[0], step2 = trace.canvases[1] - trace.canvases[0];
  CHECK(difference(select(step1, 0, 0), select(step1, 0, 1)) > 1e-3);
  CHECK(difference(step1, step2) > 1e-3);
}

TEST_CASE("draw: pictures of its own") {
  Generator random(1), a(5), b(5);
  const Draw model({.height = 9, .width = 7, .channels = 3, .steps = 3, .hidden = 8}, random);
  Trace trace;
  const Tensor x = model.generate(4, a, &trace);
  CHECK(x.shape() == Shape{4, 3, 9, 7});
  for (float p : x.values<float>()) CHECK((p > 0 && p < 1));
  CHECK(trace.canvases.size() == 3);
  CHECK(difference(x, sigmoid(trace.canvases[2])) == 0);
  CHECK(trace.write_windows[2].shape() == Shape{4, 5});
  CHECK(trace.read_windows.empty());
  CHECK(difference(model.generate(4, b), x) == 0);
}

}  // namespace
}  // namespace fovea::tests
