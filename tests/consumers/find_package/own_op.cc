// An op that Fovea does not have, for f32 and f64, made differentiable and checked with what the library
// offers to everyone.
#include <cmath>
#include <cstdio>

#include "fovea/fovea.h"

using fovea::Backward;
using fovea::Index;
using fovea::Tensor;

namespace {

/// y = x / (1 + |x|), so dx = dy / (1 + |x|)^2. For f32 and f64; other types throw.
Tensor softsign(const Tensor& input) {
  const Tensor x = fovea::contiguous(input);  // so that elements lie one after the other
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  fovea::visit_float("softsign", x.dtype(), [&]<class T>() {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    for (Index i = 0; i < x.numel(); ++i) to[i] = from[i] / (1 + std::abs(from[i]));
  });
  fovea::record("softsign", {x}, {y}, [x = fovea::Saved(x)](Backward& b) {
    Tensor dx = Tensor::empty(x->shape(), x->dtype());
    fovea::visit_float("softsign", x->dtype(), [&]<class T>() {
      const T *from = x->data<T>(), *dy = b.dy().data<T>();
      T* to = dx.mutable_data<T>();
      for (Index i = 0; i < dx.numel(); ++i) {
        const T below = 1 + std::abs(from[i]);
        to[i] = dy[i] / (below * below);
      }
    });
    b.add(0, dx);
  });
  return y;
}

// The gradient of sum(softsign(x)), with x as this type.
Tensor gradient(const Tensor& x, fovea::DType dtype) {
  fovea::Tape tape;
  const Tensor watched = tape.watch(fovea::cast(x, dtype));
  tape.backward(fovea::sum(softsign(watched)));
  return fovea::cast(tape.gradient(watched), fovea::DType::f64);
}

}  // namespace

int main() {
  const Tensor x = Tensor::from(std::vector<double>{-3, -0.5, 0.25, 1, 20, 2}, {2, 3});
  const auto f = [](const auto& inputs) { return softsign(inputs[0]); };
  const auto result = fovea::gradcheck(f, {x});
  const double types =
      fovea::max(fovea::abs(gradient(x, fovea::DType::f32) - gradient(x, fovea::DType::f64))).item<double>();
  std::printf("softsign: gradient error %.1e %s, f32 from f64 %.1e\n", result.error,
              result.ok ? "" : result.where.c_str(), types);
  return result.ok && types < 1e-6 ? 0 : 1;
}
