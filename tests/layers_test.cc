#include "fovea/core/tape.h"
#include "fovea/models/layers/dropout.h"
#include "fovea/models/layers/embedding.h"
#include "fovea/models/layers/layer_norm.h"
#include "fovea/models/layers/linear.h"
#include "fovea/models/layers/mlp.h"
#include "fovea/ops/reduce.h"
#include "tests/golden.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

constexpr DType f64 = DType::f64;

// A layer of one input and one output.
template <Layer L>
void check_one(const NpzFile& file, const char* name, L layer) {
  check_layer(file, name, named_parameters(layer),
              [&](const std::vector<Tensor>& x) { return std::vector{layer.forward(x[0])}; });
}

// Names of a torch.nn.Sequential of three linear layers with activations between.
struct AsSequential {
  Mlp mlp;
  Tensor forward(const Tensor& x) const { return mlp.forward(x); }
  void each(Visitor& v) {
    for (std::size_t i = 0; i < mlp.layers.size(); ++i) v(std::to_string(2 * i), mlp.layers[i]);
  }
};

TEST_CASE("layers: as PyTorch's") {
  const NpzFile file = golden("layers.npz");
  Generator random(1);
  check_one(file, "linear", Linear({.in_features = 3, .out_features = 5, .dtype = f64}, random));
  check_one(file, "linear_no_bias",
            Linear({.in_features = 3, .out_features = 5, .bias = false, .dtype = f64}, random));
  check_one(file, "embedding", Embedding({.num_embeddings = 6, .embedding_dim = 4, .dtype = f64}, random));
  check_one(file, "layer_norm", LayerNorm({.features = 6, .dtype = f64}));
  check_one(file, "mlp",
            AsSequential{Mlp({.sizes = {3, 5, 4, 2}, .activation = fovea::tanh, .dtype = f64}, random)});
}

TEST_CASE("layers: dropout follows the mode") {
  Generator random(3), numbers(4);
  Mlp mlp({.sizes = {4, 64, 3}, .dropout = 0.5}, random);
  const Tensor x = draw({2, 4}, DType::f32, -1, 1, 5);
  const Tensor plain = mlp.forward(x);
  CHECK(difference(mlp.forward(x), plain) == 0);
  training_mode(mlp, numbers);
  const Tensor dropped = mlp.forward(x);
  CHECK(difference(dropped, plain) > 0);
  CHECK(numbers.state().offset == 128);
  numbers.set_state({4, 0, 0});
  CHECK(difference(mlp.forward(x), dropped) == 0);
  evaluation_mode(mlp);
  CHECK(difference(mlp.forward(x), plain) == 0);
  Dropout lost{0.5, {true, nullptr}};
  check_throws([&] { lost.forward(x); }, {"[Dropout]", "training_mode(model, generator)"});
}

TEST_CASE("layers: bad sizes are refused") {
  Generator random(1);
  check_throws([&] { Linear({.in_features = 3}, random); }, {"[Linear]", "out_features"});
  check_throws([&] { Embedding({.num_embeddings = 3}, random); }, {"[Embedding]"});
  check_throws([&] { LayerNorm({.features = 0}); }, {"[LayerNorm]"});
  check_throws([&] { Mlp({.sizes = {3}}, random); }, {"[Mlp]", "sizes"});
}

TEST_CASE("layers: PyTorch's initial values") {
  Generator random(1);
  const Linear linear({.in_features = 100, .out_features = 80}, random);
  double most = 0;
  for (float w : linear.weight.values<float>()) most = std::max(most, std::abs(double{w}));
  CHECK(most <= 0.1);
  CHECK(most > 0.099);
  CHECK(var(linear.weight).item<double>() == doctest::Approx(0.01 / 3).epsilon(0.05));
  CHECK(var(linear.bias).item<double>() == doctest::Approx(0.01 / 3).epsilon(0.3));
}

}  // namespace
}  // namespace fovea::tests
