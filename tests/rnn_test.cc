#include "fovea/models/layers/rnn.h"

#include "tests/golden.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

template <class Network>
void check_rnn(const char* name, Network rnn) {
  check_layer(golden("rnn.npz"), name, named_parameters(rnn), [&](const std::vector<Tensor>& x) {
    const auto [output, h] = rnn.forward(x[0], x.size() > 1 ? x[1] : Tensor());
    return std::vector{output, h};
  });
}

TEST_CASE("rnn: as PyTorch's") {
  Generator random(1);
  constexpr DType f64 = DType::f64;
  check_rnn("plain", Rnn({.input_size = 3, .hidden_size = 4, .dtype = f64}, random));
  check_rnn("no_bias", Rnn({.input_size = 3, .hidden_size = 4, .bias = false, .dtype = f64}, random));
  check_rnn(
      "deep",
      Rnn({.input_size = 3, .hidden_size = 4, .num_layers = 2, .bidirectional = true, .dtype = f64}, random));
  check_rnn("relu", ReluRnn({.input_size = 3, .hidden_size = 4, .dtype = f64}, random));
  RnnCell cell({.input_size = 3, .hidden_size = 4, .dtype = f64}, random);
  check_layer(golden("rnn.npz"), "cell", named_parameters(cell),
              [&](const std::vector<Tensor>& x) { return std::vector{cell.forward(x[0], x[1])}; });
}

}  // namespace
}  // namespace fovea::tests
