#ifndef FOVEA_TESTS_ROWS_H_
#define FOVEA_TESTS_ROWS_H_

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "fovea/core/tensor.h"

/// One row per variant of an op. A test file says what to call and on which shapes; check() then runs what
/// every op must pass: gradients against differences, float against double, accumulation, odd sizes and
/// extreme inputs.

namespace fovea::tests {

using Inputs = std::vector<Tensor>;
using Function = std::function<Tensor(const Inputs&)>;

struct Row {
  const char* op;       ///< the public function's name, as tools/check-rows looks for it
  const char* variant;  ///< what is special about this row
  std::vector<std::vector<Shape>>
      shapes;  ///< sets of input shapes, each tried in turn; have sizes 0, 1 and odd ones
  Function f;
  Function oracle = nullptr;      ///< the same by composition of simpler ops; checked in value and gradient
  double low = -2, high = 2;      ///< inputs are drawn from this range
  double tolerance = 1e-6;        ///< of the gradient check
  double float_tolerance = 2e-5;  ///< |f32 - f64| / max(1, |f64|)
  bool extremes = true;  ///< also run on inputs of -1000 and 1000: no NaN may come out, forward or backward
};

/// Runs everything on one row, as doctest subchecks that name op, variant and shapes.
void check(const Row& row);

/// Uniform in [low, high) with a seed made from the arguments; the same on every machine.
Tensor draw(const Shape& shape, DType dtype, double low, double high, unsigned seed);

/// The largest |a - b| / max(1, |b|) over all elements, which may be of different float types.
double difference(const Tensor& a, const Tensor& b);

/// A constant that a row's function uses (a mask, indices ...), where x lies.
Tensor beside(const Tensor& x, const Tensor& constant);

/// The host, and the first GPU where there is one: what is not checked by rows is run on each.
std::vector<Device> devices();

/// Checks that f throws an Error whose message contains every one of `parts`.
void check_throws(const std::function<void()>& f, const std::vector<std::string>& parts);

}  // namespace fovea::tests

#endif  // FOVEA_TESTS_ROWS_H_
