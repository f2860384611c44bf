// The smallest program that differentiates something; tests/hello/run measures what it costs.
#include <iostream>

#include "fovea/core/tape.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"

int main() {
  fovea::Tape tape;
  const fovea::Tensor x = tape.watch(fovea::Tensor::from({1, 2, 3}, {3}));
  tape.backward(fovea::sum(x * x));
  std::cout << tape.gradient(x) << '\n';
}
