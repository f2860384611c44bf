#include "fovea/models/layers/recurrent.h"

#include "fovea/models/layers/gru.h"
#include "fovea/models/layers/lstm.h"
#include "fovea/models/layers/rnn.h"
#include "tests/golden.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// Sequences of lengths x[1], against PyTorch's packed sequences.
template <class Net, class ToState, class FromState>
void check_packed(const std::string& name, ToState to_state, FromState from_state) {
  const NpzFile file = golden("packed.npz");
  Generator random(1);
  for (const bool deep : {true, false}) {
    Net net({.input_size = 3,
             .hidden_size = 4,
             .num_layers = deep ? 2 : 1,
             .bidirectional = deep,
             .dtype = DType::f64},
            random);
    check_layer(file, deep ? name : name + "_plain", named_parameters(net),
                [&](const std::vector<Tensor>& x) {
                  const auto [output, state] = net.forward(x[0], to_state(x), x[1]);
                  std::vector<Tensor> out{output};
                  for (const Tensor& part : from_state(state)) out.push_back(part);
                  return out;
                });
  }
}

TEST_CASE("recurrent: lengths as PyTorch's packed sequences") {
  const auto one = [](const std::vector<Tensor>& x) { return x.size() > 2 ? x[2] : Tensor(); };
  const auto itself = [](const Tensor& h) { return std::vector{h}; };
  check_packed<Gru>("gru", one, itself);
  check_packed<Rnn>("rnn", one, itself);
  check_packed<Lstm>(
      "lstm",
      [](const std::vector<Tensor>& x) {
        return x.size() > 2 ? LstmState{x[2], x[3]} : LstmState{};
      },
      [](const LstmState& s) {
        return std::vector{s.h, s.c};
      });
}

TEST_CASE("recurrent: what lies past an end changes nothing") {
  Generator random(1);
  const Gru::Options options{.input_size = 3, .hidden_size = 4, .num_layers = 2, .bidirectional = true};
  Gru gru(options, random);
  const Tensor lengths = cast(Tensor::from({2, 5}, {2}), DType::i32);
  Tensor x = draw({2, 5, 3}, DType::f32, -1, 1, 5);
  const auto before = gru.forward(x, {}, lengths);
  for (Index i = 2 * 3; i < 5 * 3; ++i) x.mutable_data<float>()[i] = 1e30f;
  const auto after = gru.forward(x, {}, lengths);
  for (const Device& device : devices()) {  // elsewhere the host does not look at them
    Generator again(1);
    Gru there(options, again);
    move_to(there, device);
    const auto same = there.forward(to(x, device), {}, to(lengths, device));
    CHECK(difference(to(same.output, Cpu{}), after.output) <= 1e-6);
    CHECK(difference(to(same.state, Cpu{}), after.state) <= 1e-6);
  }
  CHECK(difference(after.output, before.output) == 0);
  CHECK(difference(after.state, before.state) == 0);
  // The second sequence is whole, so it is what it is without lengths.
  const auto whole = gru.forward(x);
  CHECK(difference(select(whole.output, 0, 1), select(before.output, 0, 1)) == 0);
  CHECK(difference(select(whole.output, 0, 0), select(before.output, 0, 0)) > 0);
}

TEST_CASE("recurrent: bad lengths") {
  Generator random(1);
  Gru gru({.input_size = 3, .hidden_size = 4}, random);
  const Tensor x = zeros({2, 5, 3});
  const auto lengths = [](std::initializer_list<float> n) {
    return cast(Tensor::from(n, {static_cast<Index>(n.size())}), DType::i32);
  };
  check_throws(
      [&] {
        gru.forward(x, {}, lengths({5, 0}));
      },
      {"[recurrent]", "sequence 1", "length 0", "1 to 5"});
  check_throws([&] { gru.forward(x, {}, lengths({6, 1})); }, {"sequence 0", "length 6"});
  check_throws([&] { gru.forward(x, {}, lengths({5})); }, {"(1)", "(2) i32"});
  check_throws([&] { gru.forward(x, {}, zeros({2})); }, {"f32"});
}

}  // namespace
}  // namespace fovea::tests
