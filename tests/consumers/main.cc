// Fits a line to four points: a small program that trains.
#include <cmath>
#include <cstdio>

#include "fovea/fovea.h"

using namespace fovea;

int main() {
  const Tensor x = Tensor::from({0, 1, 2, 3}, {4, 1});
  const Tensor y = 2 * x + 1;
  Parameter weight(zeros({1, 1})), bias(zeros({1}));
  for (int step = 0; step < 300; ++step) {
    Tape tape;
    tape.backward(mse_loss(linear(x, weight, bias), y));
    for (Parameter p : {weight, bias}) {
      assign(p, p.detach() - 0.1 * p.grad());
      p.zero_grad();
    }
  }
  std::printf("y = %.3f x + %.3f\n", weight.item(), bias.item());
  return std::abs(weight.item() - 2) + std::abs(bias.item() - 1) < 1e-3 ? 0 : 1;
}
