// An op that Fovea does not have, made differentiable and checked with what the library offers to everyone.
#include <cmath>
#include <cstdio>

#include "fovea/core/gradcheck.h"
#include "fovea/core/tape.h"

using fovea::Backward;
using fovea::Index;
using fovea::Tensor;

namespace {

/// y = x / (1 + |x|), so dx = dy / (1 + |x|)^2. For contiguous f64.
Tensor softsign(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const double* from = x.data<double>();
  double* to = y.mutable_data<double>();
  for (Index i = 0; i < x.numel(); ++i) to[i] = from[i] / (1 + std::abs(from[i]));
  fovea::record("softsign", {x}, {y}, [x = fovea::Saved(x)](Backward& b) {
    Tensor dx = Tensor::empty(x->shape(), x->dtype());
    const double* from = x->data<double>();
    const double* dy = b.dy().data<double>();
    double* to = dx.mutable_data<double>();
    for (Index i = 0; i < dx.numel(); ++i) to[i] = dy[i] / std::pow(1 + std::abs(from[i]), 2);
    b.add(0, dx);
  });
  return y;
}

}  // namespace

int main() {
  const Tensor x = Tensor::from(std::vector<double>{-3, -0.5, 0.25, 1, 20, 2}, {2, 3});
  const auto result = fovea::gradcheck([](const auto& inputs) { return softsign(inputs[0]); }, {x});
  std::printf("softsign: gradient error %.1e %s\n", result.error, result.where.c_str());
  return result.ok ? 0 : 1;
}
