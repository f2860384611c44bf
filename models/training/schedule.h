#ifndef FOVEA_MODELS_TRAINING_SCHEDULE_H_
#define FOVEA_MODELS_TRAINING_SCHEDULE_H_

#include <functional>
#include <limits>

#include "fovea/core/tensor.h"

/// Learning rates over the course of training. All but Plateau are functions of the number of updates made
/// before (0 for the first), so that nothing needs to be saved:
///
///     Schedule schedule = CosineSchedule{.lr = 3e-4, .steps = 10000, .warmup = 500};
///     optimizer.set_lr(schedule(step));

namespace fovea {

/// Any of the following, or a function of one's own.
using Schedule = std::function<double(Index step)>;

/// Always the same; with `warmup`, first lr (step + 1) / warmup.
struct ConstantSchedule {
  double lr = 1e-3;
  Index warmup = 0;
  double operator()(Index step) const;
};

/// lr gamma^floor(step / every).
struct StepSchedule {
  double lr = 1e-3;
  Index every = 1;
  double gamma = 0.1;
  double operator()(Index step) const;
};

/// lr gamma^step.
struct ExponentialSchedule {
  double lr = 1e-3;
  double gamma = 0.99;
  double operator()(Index step) const;
};

/// lr (step + 1) / warmup for the first `warmup` steps; then, with s counting from there to S = steps -
/// warmup, minimum + (lr - minimum) (1 + cos(pi s / S)) / 2 (Loshchilov and Hutter 2017); from `steps` on,
/// minimum.
struct CosineSchedule {
  double lr = 1e-3;
  Index steps = 1;
  Index warmup = 0;
  double minimum = 0;
  double operator()(Index step) const;
};

/// lr, and over the last `fall` of the steps down to 0 in a straight line ("trapezoid"): nothing about the
/// first part of a run depends on how long it is to be.
struct CooldownSchedule {
  double lr = 1e-3;
  Index steps = 1;
  double fall = 0.4;
  double operator()(Index step) const;
};

/// scale d_model^-0.5 min(t^-0.5, t warmup^-1.5) with t = step + 1 (Vaswani et al. 2017, eq. 3), "Noam".
struct InverseSquareRootSchedule {
  Index d_model = 512;
  Index warmup = 4000;
  double scale = 1;
  double operator()(Index step) const;
};

/// Up from lr / start_divisor to lr over the first `rise` of the steps and down to lr / start_divisor /
/// end_divisor over the rest, both along half a cosine (Smith and Topin 2018, as in PyTorch).
struct OneCycleSchedule {
  double lr = 1e-3;  ///< the highest
  Index steps = 1;
  double rise = 0.3;
  double start_divisor = 25;
  double end_divisor = 1e4;
  double operator()(Index step) const;
};

/// Lowers the rate when a metric (the lower the better) has stopped improving: after more than `patience`
/// observations in a row that did not beat the best by the fraction `threshold`, lr = max(lr factor,
/// minimum); for `cooldown` observations after that none counts as bad.
class Plateau {
 public:
  struct Options {
    double lr = 1e-3;
    double factor = 0.1;
    int patience = 10;
    double threshold = 1e-4;
    int cooldown = 0;
    double minimum = 0;
  };
  explicit Plateau(const Options& options) : options_(options), lr_(options.lr) {}
  /// Takes note of the metric and returns the rate from here on.
  double observe(double metric);
  double lr() const { return lr_; }
  /// For checkpoints: tensor [4] f64.
  Tensor state() const;
  void load_state(const Tensor& state);

 private:
  Options options_;
  double lr_;
  double best_ = std::numeric_limits<double>::infinity();
  int bad_ = 0, cooling_ = 0;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TRAINING_SCHEDULE_H_
