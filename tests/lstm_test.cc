#include "fovea/models/layers/lstm.h"

#include "tests/golden.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

void check_lstm(const char* name, Lstm lstm) {
  check_layer(golden("lstm.npz"), name, named_parameters(lstm), [&](const std::vector<Tensor>& x) {
    const auto [output, state] = lstm.forward(x[0], x.size() > 1 ? LstmState{x[1], x[2]} : LstmState{});
    return std::vector{output, state.h, state.c};
  });
}

TEST_CASE("lstm: as PyTorch's") {
  Generator random(1);
  constexpr DType f64 = DType::f64;
  check_lstm("plain", Lstm({.input_size = 3, .hidden_size = 4, .dtype = f64}, random));
  check_lstm("no_bias", Lstm({.input_size = 3, .hidden_size = 4, .bias = false, .dtype = f64}, random));
  check_lstm("deep",
             Lstm({.input_size = 3, .hidden_size = 4, .num_layers = 2, .bidirectional = true, .dtype = f64},
                  random));
  LstmCell cell({.input_size = 3, .hidden_size = 4, .dtype = f64}, random);
  check_layer(golden("lstm.npz"), "cell", named_parameters(cell), [&](const std::vector<Tensor>& x) {
    const LstmState s = cell.forward(x[0], {x[1], x[2]});
    return std::vector{s.h, s.c};
  });
}

TEST_CASE("lstm: dropout between layers, bad input") {
  Generator random(1), numbers(2);
  Lstm lstm({.input_size = 3, .hidden_size = 4, .num_layers = 2, .dropout = 0.5}, random);
  const Tensor x = draw({2, 5, 3}, DType::f32, -1, 1, 5), plain = lstm.forward(x).output;
  training_mode(lstm, numbers);
  CHECK(difference(lstm.forward(x).output, plain) > 0);
  CHECK(numbers.state().offset == 2 * 5 * 4);
  evaluation_mode(lstm);
  CHECK(difference(lstm.forward(x).output, plain) == 0);
  check_throws([&] { lstm.forward(zeros({2, 0, 3})); }, {"(2,0,3)", "[B,T,I]"});
  check_throws([&] { lstm.forward(zeros({2, 3})); }, {"(2,3)", "[B,T,I]"});
  check_throws([&] { lstm.forward(zeros({2, 5, 4})); }, {"[lstm_cell]"});
  check_throws([&] { Lstm({.input_size = 3}, random); }, {"hidden_size"});
}

}  // namespace
}  // namespace fovea::tests
