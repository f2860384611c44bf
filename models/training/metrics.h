#ifndef FOVEA_MODELS_TRAINING_METRICS_H_
#define FOVEA_MODELS_TRAINING_METRICS_H_

#include <deque>
#include <limits>

#include "fovea/core/error.h"

/// Running summaries of what a run measures. Plain values: copy one to save it.

namespace fovea {

/// The mean of all numbers so far, each with a weight (such as the size of its batch).
struct Mean {
  double sum = 0, weight = 0;
  void add(double value, double weight_of_value = 1) {
    sum += value * weight_of_value;
    weight += weight_of_value;
  }
  /// NaN before the first number.
  double value() const { return weight > 0 ? sum / weight : std::numeric_limits<double>::quiet_NaN(); }
};

/// The mean of the last `length` numbers.
struct WindowMean {
  std::size_t length = 100;
  std::deque<double> values = {};
  void add(double value) {
    require(length > 0, "WindowMean", "length is 0; it must be at least 1");
    if (values.size() >= length) values.pop_front();
    values.push_back(value);
  }
  /// NaN before the first number.
  double value() const {
    Mean mean;
    for (double v : values) mean.add(v);
    return mean.value();
  }
};

/// A mean that forgets: every number counts `decay` times as much as the one after it. Without a bias towards
/// 0 at the start.
struct DecayingMean {
  double decay = 0.98;
  double sum = 0, weight = 0;
  void add(double value) {
    sum = decay * sum + (1 - decay) * value;
    weight = decay * weight + (1 - decay);
  }
  /// NaN before the first number.
  double value() const { return weight > 0 ? sum / weight : std::numeric_limits<double>::quiet_NaN(); }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TRAINING_METRICS_H_
