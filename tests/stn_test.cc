#include <filesystem>

#include "fovea/models/data/digits.h"
#include "fovea/models/stn/learner.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

using namespace fovea::stn;
using stn::Learner;

PictureSet few() { return {draw_digits(40, Generator(1)), draw_digits(20, Generator(2))}; }

Settings small(const std::string& task) {
  Settings s = settings_for(task, "cnn", "default");
  s.batch_size = 4;
  s.steps = 20;
  return s;
}

TEST_CASE("stn: every task, place, kind and net makes an update and is scored") {
  const auto tries = [](const Settings& s) {
    INFO(s.to_json());
    Learner learner(s, few());
    CHECK(std::isfinite(learner.step()));
    CHECK(learner.evaluate(5).error_percent[0] <= 100);
  };
  for (const std::string& task : task_names()) tries(small(task));
  for (const char* placement : {"image", "features", "chain", "parallel", "none"}) {
    Settings s = small("cluttered");
    s.placement = placement;
    tries(s);
  }
  for (const char* kind : {"affine", "projective", "tps", "attention"}) {
    Settings s = settings_for("rts", "fcn", "default");
    s.batch_size = 4;
    s.kind = kind;
    tries(s);
  }
}

TEST_CASE("stn: the cluttered network is the recipe's") {
  Settings s = small("cluttered");
  s.size = 20;
  Learner learner(s, few());
  // Convolutions 20x1x5x5 and 20x20x5x5, linear 1620 to 50 to 6; then 32x1x3x3, 32x32x3x3, 288 to 256 to 10.
  CHECK(learner.parameters() == 520 + 10020 + 81050 + 306 + 320 + 9248 + 73984 + 2570);
}

TEST_CASE("stn: baselines learn beside it and change nothing") {
  Settings s = small("rts");
  s.clip_norm = 0;
  Learner alone(s, few());
  s.with_baseline = true;
  Learner all(s, few());
  REQUIRE(all.models().size() == 3);
  Stn first = all.models()[0], full = all.models()[2];
  CHECK(parameter_count(full) >= parameter_count(first));
  for (int i = 0; i < 3; ++i) {
    alone.step();
    all.step();
  }
  Stn a = alone.models()[0];
  const auto pa = named_parameters(a), pb = named_parameters(first);
  for (std::size_t i = 0; i < pa.size(); ++i) CHECK(difference(pa[i].parameter, pb[i].parameter) == 0);
}

TEST_CASE("stn: a run goes on from its checkpoint, bit for bit") {
  const Settings s = small("cluttered");
  Learner whole(s, few()), first(s, few()), rest(s, few());
  for (int i = 0; i < 15; ++i) whole.step();  // into the second epoch
  for (int i = 0; i < 7; ++i) first.step();
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "fovea_stn_test";
  save_checkpoint(folder, first.checkpoint());
  rest.restore(load_checkpoint(folder));
  for (int i = 0; i < 8; ++i) rest.step();
  const Checkpoint a = whole.checkpoint(), b = rest.checkpoint();
  for (std::size_t i = 0; i < a.model.size(); ++i)
    CHECK(difference(a.model[i].tensor, b.model[i].tensor) == 0);
  std::filesystem::remove_all(folder);
}

TEST_CASE("stn: in f64 it is the same network with more digits") {
  for (const char* kind : {"affine", "projective", "tps", "attention"}) {
    Settings s = small("rts");
    s.kind = kind;
    s.theta_reg = 0.1;
    s.with_baseline = kind == std::string("affine");
    Learner f32(s, few());
    s.dtype = "f64";
    Learner f64(s, few());
    for (const NamedTensor& t : f64.checkpoint().model) CHECK(t.tensor.dtype() == DType::f64);
    for (int i = 0; i < 3; ++i) {
      const double a = f32.step(), b = f64.step();
      CHECK(a == doctest::Approx(b).epsilon(1e-3));
      CHECK(a != b);
    }
    CHECK(f64.evaluate(5).error_percent[0] <= 100);
    CHECK(f64.input(f64.test_scenes(0, 1).images).dtype() == DType::f64);
  }
}

TEST_CASE("stn: bad settings") {
  check_throws([] { settings_for("clutterd", "cnn", "default"); }, {"'clutterd'", "cluttered"});
  Settings s = small("r");
  s.kind = "affin";
  check_throws([&] { Learner(s, few()); }, {"'affin'", "affine, projective, tps, attention"});
  s = small("r");
  s.dtype = "f16";
  check_throws([&] { Learner(s, few()); }, {"'f16' is not a type", "f32, f64"});
  s = small("r");
  s.size = 12;
  check_throws([&] { Learner(s, few()); }, {"[ConvNet]", "12x12"});
}

}  // namespace
}  // namespace fovea::tests
