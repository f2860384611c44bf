#include <cmath>
#include <filesystem>

#include "fovea/core/memory.h"
#include "fovea/models/data/digits.h"
#include "fovea/models/draw/learner.h"
#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

using namespace fovea::draw;
using draw::Learner;

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

// Four pictures of four classes: a bar, upright or lying, in one of two places.
LabelledImages bars() {
  Tensor x = zeros({4, 1, 8, 6}, DType::u8);
  auto* p = x.mutable_data<std::uint8_t>();
  for (Index k = 0; k < 4; ++k) {
    p[0 * 48 + k * 6 + 1] = p[1 * 48 + k * 6 + 4] = 255;
    p[2 * 48 + 2 * 6 + k] = p[3 * 48 + 6 * 6 + k] = 255;
  }
  return {x, arange(4)};
}

// The same to learn from, `copies` times, and to be tested on.
PictureSet four(Index copies = 1) {
  std::vector<Index> numbers;
  for (Index i = 0; i < 4 * copies; ++i) numbers.push_back(i % 4);
  return {gather(bars(), numbers), bars()};
}

TEST_CASE("draw learner: in f64 it is the same model with more digits") {
  for (const char* model : {"draw", "classifier"}) {
    Settings s = small();
    s.model = model;
    Learner f32(s, four());
    s.dtype = "f64";
    Learner f64(s, four());
    for (const NamedTensor& t : f64.checkpoint().model) CHECK(t.tensor.dtype() == DType::f64);
    for (int i = 0; i < 3; ++i) {
      const double a = f32.step(), b = f64.step();
      CHECK(a == doctest::Approx(b).epsilon(1e-3));
      CHECK(a != b);
    }
    CHECK(f32.evaluate(0, 3).nats == doctest::Approx(f64.evaluate(0, 3).nats).epsilon(1e-3));
    // What comes out is f32, as pictures are.
    const Tensor out = s.model == "draw" ? f64.generate(2, 1) : f64.classify(bars().images);
    CHECK(out.dtype() == DType::f32);
    if (s.model == "draw") CHECK(f64.reconstruct(bars().images, 1).dtype() == DType::f32);
  }
  Settings s = small();
  s.dtype = "half";
  check_throws([&] { Learner(s, four()); }, {"'half' is not a type", "f32, f64"});
}

TEST_CASE("draw learner: it learns four pictures by heart" * doctest::test_suite("long")) {
  for (bool attention : {true, false}) {
    Settings s = small();
    s.attention = attention;
    s.glimpses = 4;
    s.hidden = 48;
    s.batch_size = 32;
    s.lr = 3e-3;
    Learner learner(s, {four(8).train, four(8).train});
    const Score before = learner.evaluate(0, 3);
    for (int i = 0; i < 900; ++i) learner.step();
    const Score after = learner.evaluate(0, 3);
    INFO("attention ", attention, ": ", before.nats, " to ", after.nats, " nats, kl ", after.kl);
    CHECK(before.nats > 9);   // 16 pixels of which a quarter is set: the mean picture
    CHECK(after.nats < 4.5);  // which picture it is takes ln 4 = 1.4
    CHECK(after.kl > 1);
    CHECK(after.nats == doctest::Approx(after.reconstruction + after.kl));
    CHECK(after.kl_per_step.size() == 4);
    const Tensor x = bars().images, y = learner.reconstruct(x, 9);
    double wrong = 0;
    for (Index k = 0; k < 192; ++k) wrong += (y.data<float>()[k] > 0.5f) != (x.data<std::uint8_t>()[k] > 0);
    CHECK(wrong < 8);  // one picture taken for another would cost as much
  }
}

TEST_CASE("draw learner: the classifier learns four pictures by heart") {
  Settings s = small();
  s.model = "classifier";
  Learner learner(s, four());
  for (int i = 0; i < 150; ++i) learner.step();
  const Score score = learner.evaluate(0, 1);
  CHECK(score.wrong_fraction == 0);
  CHECK(score.nats < 0.1);
  Trace trace;
  CHECK(learner.classify(bars().images, &trace).at({2, 2}) > 0.9);
  CHECK(trace.read_windows.size() == 3);
}

TEST_CASE("draw learner: scoring does not depend on the size of batches but for the noise") {
  Settings s = small();
  s.pixels = "threshold";
  const LabelledImages many = gather(bars(), std::vector<Index>(4001, 0));
  Learner learner(s, {four().train, many});
  learner.step();
  const Checkpoint before = learner.checkpoint();
  const Score a = learner.evaluate(0, 1), again = learner.evaluate(0, 1), b = learner.evaluate(0, 2);
  CHECK(a.nats == again.nats);
  CHECK(a.nats != b.nats);
  CHECK(a.nats == doctest::Approx(b.nats).epsilon(0.02));
  CHECK(learner.evaluate(10, 1).nats == doctest::Approx(a.nats).epsilon(0.2));
  CHECK(learner.checkpoint().generators == before.generators);  // nor does it touch the training
}

TEST_CASE("draw learner: what training cost since it was last asked") {
  Learner learner(small(), four());
  double cost = learner.step();
  cost = (cost + learner.step()) / 2;
  const Score score = learner.take_training_score();
  CHECK(score.nats == doctest::Approx(cost));
  CHECK(score.reconstruction > score.kl);
  CHECK(score.kl > 0);
  cost = learner.step();
  CHECK(learner.take_training_score().nats == doctest::Approx(cost));
}

TEST_CASE("draw learner: the canvas starts as the mean picture") {
  Settings s = small();
  Learner learner(s, four());
  for (const NamedTensor& t : learner.checkpoint().model)
    if (t.name == "canvas") {
      CHECK(t.tensor.at({0, 0, 1}) == doctest::Approx(std::log(0.25 / 0.75)));
      CHECK(t.tensor.at({0, 0, 0}) == doctest::Approx(std::log(0.01 / 0.99)));
    }
  s.learned_start = false;
  CHECK(Learner(s, four()).parameters() == learner.parameters() - 48 - 4 * 24);
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
  const Tensor share = mean(Learner(s).pixels(contiguous(expand(grey, {4000, 1, 2, 2})), random), 0);
  CHECK(share.at({0, 0, 0}) == 0);
  CHECK(share.at({0, 1, 1}) == 1);
  CHECK(std::abs(share.at({0, 0, 1}) - 0.2) < 4 * std::sqrt(0.16 / 4000));
  CHECK(std::abs(share.at({0, 1, 0}) - 0.8) < 4 * std::sqrt(0.16 / 4000));
}

TEST_CASE("draw learner: scenes are new in every epoch, and the same for the test") {
  Settings s = small();
  s.task = "two-digits";
  s.height = s.width = 32;
  s.batch_size = 2;
  const Generator random(1);
  Learner learner(s, {draw_digits(4, random.fork(0)), draw_digits(5, random.fork(1))});
  CHECK(learner.batches_per_epoch() == 2);
  CHECK(learner.train_pictures(every_index(3, 1)).images.shape() == Shape{3, 1, 32, 32});
  const Tensor all = learner.test_pictures(every_index(5)).images;
  CHECK(difference(slice(all, 0, 2, 5), learner.test_pictures(every_index(3, 2)).images) == 0);
  CHECK(difference(slice(all, 0, 0, 1), slice(learner.train_pictures(every_index(1)).images, 0, 0, 1)) > 0);
  for (int i = 0; i < 3; ++i) CHECK(std::isfinite(learner.step()));
  CHECK(learner.evaluate(3, 1).nats > 0);
  s.task = "cluttered";
  s.height = s.width = 40;
  Tensor first;
  for (const char* model : {"classifier", "convnet", "shallow"}) {
    s.model = model;
    Learner learner(s, {draw_digits(4, random.fork(0)), draw_digits(5, random.fork(1))});
    CHECK(learner.test_pictures(every_index(5)).images.shape() == Shape{5, 1, 40, 40});
    const Tensor seen = learner.train_pictures(every_index(4)).images;
    if (first.defined()) CHECK(difference(seen, first) == 0);  // both are trained on the same pictures
    first = seen;
    CHECK(std::isfinite(learner.step()));
    CHECK(learner.evaluate(0, 1).nats > 0);
  }
}

TEST_CASE("draw learner: the conv nets learn four pictures by heart, and look nowhere") {
  for (const char* model : {"convnet", "shallow"}) {
    Settings s = small();
    s.model = model;
    s.height = s.width = 28;
    const Generator random(2);
    Learner learner(s, {draw_digits(4, random), draw_digits(4, random)});
    for (int i = 0; i < 60; ++i) learner.step();
    const LabelledImages seen = learner.train_pictures(every_index(4));
    const Tensor answers = argmax(learner.classify(seen.images), 1);
    for (Index i = 0; i < 4; ++i) CHECK(answers.at({i}) == seen.labels.at({i}));
    Trace trace;
    check_throws([&] { learner.classify(seen.images, &trace); }, {"conv net", "no window"});
  }
}

TEST_CASE("draw learner: a checkpoint goes on bit for bit, in the middle of an epoch") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "fovea_draw_test";
  Settings s = small();
  s.batch_size = 3;  // of eight pictures: 3, 3 and 2 in an epoch
  PictureSet grey = four(2);
  for (std::uint8_t& x : std::span(grey.train.images.mutable_data<std::uint8_t>(), 8 * 48))
    x = x ? 200 : 30;  // so that pixels are drawn
  Learner whole(s, grey), half(s, grey);
  for (int i = 0; i < 9; ++i) whole.step();
  for (int i = 0; i < 4; ++i) half.step();
  save_checkpoint(folder, half.checkpoint());
  const Checkpoint c = load_checkpoint(folder);
  Learner rest(Settings::from_json(c.meta), grey);
  rest.restore(c);
  CHECK(rest.steps() == 4);
  for (int i = 0; i < 5; ++i) rest.step();
  const Checkpoint a = whole.checkpoint(), b = rest.checkpoint();
  REQUIRE(a.model.size() == b.model.size());
  for (std::size_t i = 0; i < a.model.size(); ++i)
    CHECK(difference(a.model[i].tensor, b.model[i].tensor) == 0);
  CHECK(a.generators == b.generators);
  CHECK(a.generators.at("order").offset == 9);

  Learner without(Settings::from_json(c.meta));  // pictures are not needed to draw
  without.restore(c);
  half.restore(c);
  CHECK(difference(without.generate(2, 1), half.generate(2, 1)) == 0);
  check_throws([&] { without.step(); }, {"no pictures to learn from"});
  check_throws([&] { without.evaluate(0, 1); }, {"no pictures to score"});
  std::filesystem::remove_all(folder);
}

TEST_CASE("draw learner: three hundred updates hold no memory") {
  Learner learner(small(), four());
  for (int i = 0; i < 10; ++i) learner.step();
  const std::size_t held = memory_stats().allocated;
  for (int i = 0; i < 300; ++i) learner.step();
  CHECK(memory_stats().allocated < held + 8000);  // the loader may be up to two batches of 784 bytes ahead
}

TEST_CASE("draw learner: settings") {
  const Settings paper = settings_for("mnist", "paper");
  CHECK(Settings::from_json(paper.to_json()).to_json() == paper.to_json());
  CHECK(paper.glimpses == 64);
  CHECK(paper.read_size == 2);
  CHECK(Learner(paper).parameters() == 959467 + 784 + 4 * 256);
  CHECK(settings_for("cluttered", "default").model == "classifier");
  CHECK(settings_for("cifar", "default").channels == 3);
  for (const std::string& task : task_names()) {
    CHECK(settings_for(task, "default").task == task);
    CHECK(!about(task).empty());
  }
  check_throws([] { settings_for("mnust", "paper"); }, {"'mnust'", "mnist, two-digits, cifar, cluttered"});
  check_throws([] { settings_for("mnist", "fast"); }, {"'fast'", "paper"});
  check_throws([] { Settings::from_json("{\"tusk\": 1}"); }, {"[draw]", "unknown field tusk"});
  check_throws([] { Settings::from_json("{\"glimpses\": 0}"); }, {"glimpses is 0", "at least 1"});
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
  check_throws(
      [&] {
        with([](Settings& s) {
          s.model = "classifier";
          s.attention = false;
        });
      },
      {"needs attention"});
}

TEST_CASE("draw learner: bad input") {
  const auto learner = [](const Settings& s, const LabelledImages& train) { Learner(s, {train, {}}); };
  const Settings s = small();
  check_throws([&] { learner(s, {zeros({4, 1, 8, 7}, DType::u8), {}}); }, {"(1,1,8,7)", "(1,1,8,6)"});
  check_throws([&] { learner(s, {zeros({4, 1, 8, 6}), {}}); }, {"f32", "must be u8"});
  check_throws([&] { Learner(s, {{}, {zeros({4, 3, 8, 6}, DType::u8), {}}}); }, {"(1,3,8,6)"});
  check_throws([&] { Learner(s, four()).classify(bars().images); }, {"does not classify"});
  Settings c = s;
  c.model = "classifier";
  check_throws([&] { learner(c, {bars().images, {}}); }, {"the class of every picture"});
  check_throws([&] { learner(c, {bars().images, zeros({4, 2}, DType::i32)}); }, {"one each"});
  check_throws([&] { Learner(c, four()).generate(1, 1); }, {"draws no pictures"});
  c.classes = 3;
  check_throws([&] { Learner(c, four()).step(); }, {"class"});
  Generator random;
  check_throws([&] { DrawClassifier({.classes = 0}, random); }, {"[DrawClassifier]", "classes"});
  check_throws([&] { DrawClassifier({.steps = 0}, random); }, {"[DrawClassifier]", "steps"});
}

TEST_CASE("draw learner: a bad number stops the run before the weights are touched") {
  Learner learner(small(), four());
  learner.step();
  Checkpoint c = learner.checkpoint();
  Tensor weight = c.model[0].tensor;
  const float before = weight.data<float>()[1];
  const_cast<float*>(weight.data<float>())[0] = std::nanf("");
  check_throws([&] { learner.step(); }, {"step 2", "not finite"});
  CHECK(weight.data<float>()[1] == before);
}

}  // namespace
}  // namespace fovea::tests
