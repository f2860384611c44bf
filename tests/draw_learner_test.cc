#include <cmath>
#include <filesystem>

#include "fovea/core/memory.h"
#include "fovea/models/draw/learner.h"
#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

using namespace fovea::draw;

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

TEST_CASE("draw learner: it learns four pictures by heart") {
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

TEST_CASE("draw learner: the classifier learns four pictures by heart") {
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

TEST_CASE(
    "draw learner: scoring does not depend on the size of batches but for the noise, nor touch the "
    "training") {
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

TEST_CASE("draw learner: pixels from grey values") {
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

TEST_CASE("draw learner: a checkpoint goes on bit for bit") {
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

TEST_CASE("draw learner: three hundred updates hold no memory") {
  Learner learner(small());
  const Tensor x = bars();
  for (int i = 0; i < 10; ++i) learner.step(x);
  const std::size_t held = memory_stats().allocated;
  for (int i = 0; i < 300; ++i) learner.step(x);
  CHECK(memory_stats().allocated == held);
}

TEST_CASE("draw learner: settings") {
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

TEST_CASE("draw learner: bad input") {
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

TEST_CASE("draw learner: a bad number stops the run before the weights are touched") {
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
