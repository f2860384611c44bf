#include "fovea/models/training/schedule.h"

#include "fovea/models/training/learner.h"
#include "tests/golden.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

constexpr Index N = 60;

void check_schedule(const char* name, const Schedule& schedule) {
  const Tensor want = golden("schedules.npz").get(name);
  for (Index step = 0; step < N; ++step)
    CHECK_MESSAGE(schedule(step) == doctest::Approx(want.at({step})).epsilon(1e-9),
                  cat(name, " at step ", step));
}

TEST_CASE("schedule: as PyTorch's") {
  check_schedule("constant", ConstantSchedule{.lr = 0.5});
  check_schedule("constant_warmup", ConstantSchedule{.lr = 0.5, .warmup = 8});
  check_schedule("step", StepSchedule{.lr = 0.5, .every = 7, .gamma = 0.4});
  check_schedule("exponential", ExponentialSchedule{.lr = 0.5, .gamma = 0.93});
  check_schedule("cosine", CosineSchedule{.lr = 0.5, .steps = N});
  check_schedule("cosine_warmup", CosineSchedule{.lr = 0.5, .steps = N, .warmup = 9, .minimum = 0.02});
  check_schedule("cooldown", CooldownSchedule{.lr = 0.5, .steps = N});
  check_schedule("one_cycle", OneCycleSchedule{.lr = 0.5, .steps = N});
  check_schedule(
      "one_cycle_other",
      OneCycleSchedule{.lr = 0.5, .steps = N, .rise = 0.41, .start_divisor = 7, .end_divisor = 33});
}

TEST_CASE("schedule: inverse square root, golden value G6") {
  const InverseSquareRootSchedule noam{.d_model = 512, .warmup = 4000};
  CHECK(noam(0) == doctest::Approx(1.746928e-07).epsilon(1e-6));
  CHECK(noam(3999) == doctest::Approx(6.987712e-04).epsilon(1e-6));
  CHECK(noam(99999) == doctest::Approx(1.397542e-04).epsilon(1e-6));
  check_throws([] { InverseSquareRootSchedule{.warmup = 0}(0); }, {"warmup 0"});
}

TEST_CASE("schedule: noam reaches the learning rate at the end of the warm-up") {
  TrainingSettings s;
  s.schedule = "noam";
  s.lr = 5e-3;
  s.warmup = 2000;
  const Schedule schedule = make_schedule(s);
  CHECK(schedule(0) == doctest::Approx(5e-3 / 2000));
  CHECK(schedule(1999) == doctest::Approx(5e-3));
  CHECK(schedule(7999) == doctest::Approx(2.5e-3));
  s.warmup = 0;
  CHECK(make_schedule(s)(0) == doctest::Approx(5e-3));
}

TEST_CASE("schedule: past the end") {
  CHECK(CooldownSchedule{.lr = 1, .steps = 10}(12) == 0);
  check_throws([] { CooldownSchedule{.fall = 0}(0); }, {"fall is 0"});
  CHECK(CosineSchedule{.lr = 1, .steps = 10, .minimum = 0.1}(10) == 0.1);
  CHECK(CosineSchedule{.lr = 1, .steps = 10, .minimum = 0.1}(1000) == 0.1);
  const OneCycleSchedule cycle{.lr = 1, .steps = 10};
  CHECK(cycle(1000) == cycle(9));
  CHECK(OneCycleSchedule{.lr = 1, .steps = 1}(0) > 0);
}

TEST_CASE("schedule: plateau, with a save on the way") {
  const Tensor metrics = golden("schedules.npz").get("metrics");
  const auto check = [&](const char* name, const Plateau::Options& options) {
    const Tensor want = golden("schedules.npz").get(name);
    Plateau plateau(options);
    for (Index step = 0; step < N; ++step) {
      CHECK_MESSAGE(plateau.lr() == doctest::Approx(want.at({step})).epsilon(1e-12),
                    cat(name, " at step ", step));
      plateau.observe(metrics.at({step}));
      Plateau other(options);
      other.load_state(plateau.state());
      plateau = other;
    }
  };
  check("plateau", {.lr = 0.5, .patience = 3, .minimum = 1e-4});
  check("plateau_other",
        {.lr = 0.5, .factor = 0.5, .patience = 2, .threshold = 1e-2, .cooldown = 4, .minimum = 0.1});
}

}  // namespace
}  // namespace fovea::tests
