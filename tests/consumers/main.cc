#include <cstdio>

#include "fovea/fovea.h"

using namespace fovea;

struct Classifier {  // a model is a struct that names its parts
  Linear hidden, out;
  explicit Classifier(Generator& random)
      : hidden({.in_features = 2, .out_features = 16}, random),
        out({.in_features = 16, .out_features = 1}, random) {}
  Tensor forward(const Tensor& x) const { return out.forward(tanh(hidden.forward(x))); }
  void each(Visitor& v) {
    v("hidden", hidden);
    v("out", out);
  }
};

int main() {
  Generator random(1);
  Classifier model(random);
  Adam optimizer(flatten(model), {.lr = 0.05});
  const Tensor x = Tensor::from({0, 0, 0, 1, 1, 0, 1, 1}, {4, 2});  // exclusive or
  const Tensor y = Tensor::from({0, 1, 1, 0}, {4, 1});
  for (int step = 0; step < 300; ++step) {
    Tape tape;  // records from here on
    tape.backward(bce_with_logits(model.forward(x), y));
    optimizer.step();
  }
  save_parameters(model, "xor.safetensors");  // under the names PyTorch would give them
  const Tensor p = sigmoid(model.forward(x));
  for (Index i = 0; i < 4; ++i)
    std::printf("%.0f xor %.0f: %.3f\n", x.at({i, 0}), x.at({i, 1}), p.at({i, 0}));
  return p.at({1, 0}) > 0.9 && p.at({3, 0}) < 0.1 ? 0 : 1;
}
