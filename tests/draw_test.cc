#include "fovea/models/draw/draw.h"

#include <cmath>
#include <filesystem>

#include "fovea/core/memory.h"
#include "fovea/models/draw/learner.h"
#include "fovea/models/training/clip.h"
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

Settings small() {
  Settings s = settings_for("mnist", "default");
  s.height = 8;
  s.width = 6;
  s.glimpses = 3;
  s.latent = 4;
  s.hidden = 24;
  s.read_size = 3;
  s.write_size = 3;
  s.batch_size = 4;
  s.lr = 1e-2;
  return s;
}

// Four pictures, u8: a bar, upright or lying, in one of two places.
Tensor bars() {
  Tensor x = zeros({4, 1, 8, 6}, DType::u8);
  auto* p = x.mutable_data<std::uint8_t>();
  for (Index k = 0; k < 4; ++k) {
    p[0 * 48 + k * 6 + 1] = p[1 * 48 + k * 6 + 4] = 255;
    p[2 * 48 + 2 * 6 + k] = p[3 * 48 + 6 * 6 + k] = 255;
  }
  return x;
}

TEST_CASE("draw: it learns four pictures by heart") {
  for (bool attention : {true, false}) {
    Settings s = small();
    s.attention = attention;
    s.glimpses = 4;
    s.hidden = 48;
    s.lr = 3e-3;
    Learner learner(s);
    const Tensor x = bars(), batch = concat({x, x, x, x, x, x, x, x}, 0);
    const Score before = learner.evaluate(batch, 3);
    for (int i = 0; i < 900; ++i) learner.step(batch);
    const Score after = learner.evaluate(batch, 3);
    INFO("attention ", attention, ": ", before.nats, " to ", after.nats, " nats, kl ", after.kl);
    CHECK(before.nats > 30);  // 48 pixels at ln 2
    CHECK(after.nats < 4.5);  // 8.6 without looking; which picture it is takes ln 4 = 1.4
    CHECK(after.kl > 1);
    CHECK(after.nats == doctest::Approx(after.reconstruction + after.kl));
    CHECK(after.kl_per_step.size() == 4);
    double wrong = 0;
    const Tensor y = learner.reconstruct(x, 9);
    for (Index k = 0; k < 192; ++k) wrong += (y.data<float>()[k] > 0.5f) != (x.data<std::uint8_t>()[k] > 0);
    CHECK(wrong < 8);  // one picture taken for another would cost as much
  }
}

TEST_CASE("draw: the classifier learns four pictures by heart") {
  Settings s = small();
  s.model = "classifier";
  Learner learner(s);
  const Tensor x = bars(), classes = arange(4);
  for (int i = 0; i < 150; ++i) learner.step(x, classes);
  const Score score = learner.evaluate(x, classes, 1);
  CHECK(score.wrong_fraction == 0);
  CHECK(score.nats < 0.1);
  CHECK(learner.classify(x).at({2, 2}) > 0.9);
  Trace trace;
  learner.classify(x, &trace);
  CHECK(trace.read_windows.size() == 3);
}

TEST_CASE("draw: scoring does not depend on the size of batches but for the noise, nor touch the training") {
  Settings s = small();
  s.pixels = "threshold";
  Learner learner(s);
  learner.step(bars());
  const Generator::State before = learner.checkpoint().generators.at("noise");
  const Tensor many = expand(slice(bars(), 0, 0, 1), {4001, 1, 8, 6});
  const Score a = learner.evaluate(many, 1), again = learner.evaluate(many, 1), b = learner.evaluate(many, 2);
  CHECK(a.nats == again.nats);
  CHECK(a.nats != b.nats);
  CHECK(a.nats == doctest::Approx(b.nats).epsilon(0.02));
  CHECK(learner.checkpoint().generators.at("noise") == before);
}

TEST_CASE("draw: pixels from grey values") {
  Settings s = small();
  const Tensor grey = Tensor::from(std::vector<std::uint8_t>{0, 51, 204, 255}, {1, 1, 2, 2});
  Generator random(1);
  s.pixels = "grey";
  CHECK(Learner(s).pixels(grey, random).at({0, 0, 0, 1}) == doctest::Approx(0.2));
  s.pixels = "threshold";
  const Tensor t = Learner(s).pixels(grey, random);
  CHECK(t.at({0, 0, 0, 1}) == 0);
  CHECK(t.at({0, 0, 1, 0}) == 1);
  s.pixels = "sampled";
  const Tensor many = Learner(s).pixels(expand(grey, {4000, 1, 2, 2}), random);
  const Tensor share = mean(many, 0);
  CHECK(share.at({0, 0, 0}) == 0);
  CHECK(share.at({0, 1, 1}) == 1);
  CHECK(std::abs(share.at({0, 0, 1}) - 0.2) < 4 * std::sqrt(0.16 / 4000));
  CHECK(std::abs(share.at({0, 1, 0}) - 0.8) < 4 * std::sqrt(0.16 / 4000));
}

TEST_CASE("draw: a checkpoint goes on bit for bit") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "fovea_draw_test";
  Learner whole(small()), half(small());
  const Tensor x = bars();
  for (int i = 0; i < 6; ++i) whole.step(x);
  for (int i = 0; i < 3; ++i) half.step(x);
  save_checkpoint(folder, half.checkpoint());
  const Checkpoint c = load_checkpoint(folder);
  Learner rest(Learner::settings_of(c));
  rest.restore(c);
  CHECK(rest.steps() == 3);
  for (int i = 0; i < 3; ++i) rest.step(x);
  const Checkpoint a = whole.checkpoint(), b = rest.checkpoint();
  REQUIRE(a.model.size() == b.model.size());
  for (std::size_t i = 0; i < a.model.size(); ++i)
    CHECK(difference(a.model[i].tensor, b.model[i].tensor) == 0);
  CHECK(a.generators.at("noise") == b.generators.at("noise"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("draw: three hundred updates hold no memory") {
  Learner learner(small());
  const Tensor x = bars();
  for (int i = 0; i < 10; ++i) learner.step(x);
  const std::size_t held = memory_stats().allocated;
  for (int i = 0; i < 300; ++i) learner.step(x);
  CHECK(memory_stats().allocated == held);
}

TEST_CASE("draw: settings") {
  const Settings paper = settings_for("mnist", "paper");
  CHECK(Settings::from_json(paper.to_json()).to_json() == paper.to_json());
  CHECK(paper.glimpses == 64);
  CHECK(paper.read_size == 2);
  CHECK(Learner(paper).parameters() == 959467 + 784 + 4 * 256);
  CHECK(settings_for("svhn", "paper").hidden == 800);
  CHECK(settings_for("cluttered", "default").model == "classifier");
  for (const std::string& task : task_names()) CHECK(settings_for(task, "default").task == task);
  check_throws([] { settings_for("mnust", "paper"); }, {"'mnust'", "mnist, svhn, cifar, cluttered"});
  check_throws([] { settings_for("mnist", "fast"); }, {"'fast'", "paper"});
  check_throws([] { Settings::from_json("{\"tusk\": 1}"); }, {"unknown field tusk"});
  check_throws([] { Settings::from_json("{"); }, {"cannot be read"});
  const auto with = [](auto change) {
    Settings s = small();
    change(s);
    Learner learner(s);
  };
  check_throws([&] { with([](Settings& s) { s.model = "drow"; }); }, {"'drow'", "classifier"});
  check_throws([&] { with([](Settings& s) { s.schedule = "down"; }); }, {"'down'", "cosine"});
  check_throws([&] { with([](Settings& s) { s.pixels = "red"; }); }, {"'red'", "threshold"});
  check_throws([&] { with([](Settings& s) { s.batch_size = 0; }); }, {"batch_size is 0"});
  check_throws([&] { with([](Settings& s) { s.glimpses = 0; }); }, {"[Draw]", "steps"});
  check_throws([&] { with([](Settings& s) { s.read_size = 0; }); }, {"[Draw]", "read_size"});
  check_throws([&] { with([](Settings& s) { s.channels = 0; }); }, {"[Draw]", "channels"});
}

TEST_CASE("draw: bad input") {
  Learner learner(small());
  check_throws([&] { learner.step(zeros({4, 1, 8, 7})); }, {"[Draw]", "(4,1,8,7)", "[B,1,8,6]"});
  check_throws([&] { learner.step(full({4, 1, 8, 6}, 255)); }, {"outside [0, 1]"});
  check_throws([&] { learner.step(full({4, 1, 8, 6}, std::nan(""))); }, {"outside [0, 1]"});
  check_throws([&] { learner.step(zeros({4, 1, 8, 6}, DType::f64)); }, {"f64", "u8 or f32"});
  check_throws([&] { learner.evaluate(zeros({0, 1, 8, 6}), 1); }, {"no pictures"});
  check_throws([&] { learner.classify(bars()); }, {"does not classify"});
  Settings s = small();
  s.model = "classifier";
  Learner classifier(s);
  check_throws([&] { classifier.step(bars()); }, {"classes of all 4"});
  check_throws([&] { classifier.evaluate(bars(), arange(3), 1); }, {"classes of all 4"});
  check_throws([&] { classifier.generate(1, 1); }, {"draws no pictures"});
  check_throws([&] { classifier.step(zeros({4, 1, 6, 8}), arange(4)); }, {"[DrawClassifier]", "(4,1,6,8)"});
  Generator random;
  check_throws([&] { DrawClassifier({.classes = 0}, random); }, {"[DrawClassifier]", "classes"});
  check_throws([&] { DrawClassifier({.steps = 0}, random); }, {"[DrawClassifier]", "steps"});
}

TEST_CASE("draw: a bad number stops the run before the weights are touched") {
  Learner learner(small());
  learner.step(bars());
  Checkpoint c = learner.checkpoint();
  Tensor weight = c.model[0].tensor;
  const float before = weight.data<float>()[1];
  const_cast<float*>(weight.data<float>())[0] = std::nanf("");
  check_throws([&] { learner.step(bars()); }, {"step 2", "not finite"});
  CHECK(weight.data<float>()[1] == before);
}

}  // namespace
}  // namespace fovea::tests
