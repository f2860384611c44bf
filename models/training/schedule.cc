#include "fovea/models/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fovea {
namespace {

// Half a cosine from `from` at part = 0 to `to` at part = 1.
double along_cosine(double from, double to, double part) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

}  // namespace

double ConstantSchedule::operator()(Index step) const {
  return step < warmup ? lr * static_cast<double>(step + 1) / static_cast<double>(warmup) : lr;
}

double StepSchedule::operator()(Index step) const {
  require(every > 0, "StepSchedule", "every is ", every, "; it must be at least 1");
  return lr * std::pow(gamma, static_cast<double>(step / every));
}

double ExponentialSchedule::operator()(Index step) const {
  return lr * std::pow(gamma, static_cast<double>(step));
}

double CosineSchedule::operator()(Index step) const {
  if (step < warmup) return lr * static_cast<double>(step + 1) / static_cast<double>(warmup);
  if (step >= steps) return minimum;
  return along_cosine(lr, minimum, static_cast<double>(step - warmup) / static_cast<double>(steps - warmup));
}

double CooldownSchedule::operator()(Index step) const {
  require(fall > 0 && fall <= 1, "CooldownSchedule", "fall is ", fall, "; it must be above 0 and at most 1");
  const auto n = static_cast<double>(steps);
  return lr * std::clamp((n - static_cast<double>(step)) / (n * fall), 0.0, 1.0);
}

double InverseSquareRootSchedule::operator()(Index step) const {
  require(d_model > 0 && warmup > 0, "InverseSquareRootSchedule", "d_model is ", d_model, " and warmup ",
          warmup, "; both must be at least 1");
  const auto t = static_cast<double>(step + 1), w = static_cast<double>(warmup);
  return scale / std::sqrt(static_cast<double>(d_model)) * std::min(1 / std::sqrt(t), t / (w * std::sqrt(w)));
}

double OneCycleSchedule::operator()(Index step) const {
  const double top = rise * static_cast<double>(steps) - 1, end = static_cast<double>(steps) - 1;
  const double t = std::min(static_cast<double>(step), end), start = lr / start_divisor;
  if (t <= top) return along_cosine(start, lr, top > 0 ? t / top : 1);
  return along_cosine(lr, start / end_divisor, (t - top) / (end - top));
}

double Plateau::observe(double metric) {
  const bool better = metric < best_ * (1 - options_.threshold);
  if (better) {
    best_ = metric;
    bad_ = 0;
  } else {
    ++bad_;
  }
  if (cooling_ > 0) {
    --cooling_;
    bad_ = 0;
  }
  if (bad_ > options_.patience) {
    lr_ = std::max(lr_ * options_.factor, options_.minimum);
    cooling_ = options_.cooldown;
    bad_ = 0;
  }
  return lr_;
}

Tensor Plateau::state() const {
  return Tensor::from(
      std::vector<double>{lr_, best_, static_cast<double>(bad_), static_cast<double>(cooling_)}, {4});
}

void Plateau::load_state(const Tensor& state) {
  require(state.shape() == Shape{4}, "Plateau", "a state has shape (4), not ", state.shape());
  const auto s = state.values<double>();
  lr_ = s[0];
  best_ = s[1];
  bad_ = static_cast<int>(s[2]);
  cooling_ = static_cast<int>(s[3]);
}

}  // namespace fovea
