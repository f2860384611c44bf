#include "fovea/models/layers/gru.h"

#include "tests/golden.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

void check_gru(const char* name, Gru gru) {
  check_layer(golden("gru.npz"), name, named_parameters(gru), [&](const std::vector<Tensor>& x) {
    const auto [output, h] = gru.forward(x[0], x.size() > 1 ? x[1] : Tensor());
    return std::vector{output, h};
  });
}

TEST_CASE("gru: as PyTorch's") {
  Generator random(1);
  constexpr DType f64 = DType::f64;
  check_gru("plain", Gru({.input_size = 3, .hidden_size = 4, .dtype = f64}, random));
  check_gru("no_bias", Gru({.input_size = 3, .hidden_size = 4, .bias = false, .dtype = f64}, random));
  check_gru(
      "deep",
      Gru({.input_size = 3, .hidden_size = 4, .num_layers = 2, .bidirectional = true, .dtype = f64}, random));
  GruCell cell({.input_size = 3, .hidden_size = 4, .dtype = f64}, random);
  check_layer(golden("gru.npz"), "cell", named_parameters(cell),
              [&](const std::vector<Tensor>& x) { return std::vector{cell.forward(x[0], x[1])}; });
}

}  // namespace
}  // namespace fovea::tests
