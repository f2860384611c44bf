#include "fovea/ops/rnn_cell.h"

#include "fovea/ops/linear.h"
#include "fovea/ops/pointwise.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

std::vector<Shape> shapes(Index B, Index I, Index H) { return {{B, I}, {B, H}, {H, I}, {H, H}, {H}, {H}}; }

void rows(const char* variant, RnnActivation activation, Tensor (*f)(const Tensor&)) {
  check({"rnn_cell",
         variant,
         {shapes(3, 4, 5), shapes(1, 1, 1), shapes(1, 7, 9), shapes(130, 3, 17), shapes(0, 2, 3)},
         [=](const Inputs& x) { return rnn_cell(x[0], x[1], x[2], x[3], x[4], x[5], activation); },
         [=](const Inputs& x) { return f(linear(x[0], x[2], x[4]) + linear(x[1], x[3], x[5])); }});
  check({"rnn_cell",
         variant,
         {{{3, 4}, {3, 5}, {5, 4}, {5, 5}}},
         [=](const Inputs& x) { return rnn_cell(x[0], x[1], x[2], x[3], {}, {}, activation); },
         [=](const Inputs& x) { return f(linear(x[0], x[2]) + linear(x[1], x[3])); }});
  check({"rnn_cell",
         "several steps; x is h, and the weights are one",
         {{{2, 5}, {5, 5}, {5}}},
         [=](const Inputs& x) {
           const Tensor h = rnn_cell(x[0], x[0], x[1], x[1], x[2], x[2], activation);
           return rnn_cell(h, x[0], x[1], x[1], x[2], x[2], activation);
         },
         [=](const Inputs& x) {
           const Tensor h = f(2 * linear(x[0], x[1], x[2]));
           return f(linear(h, x[1], x[2]) + linear(x[0], x[1], x[2]));
         }});
}

TEST_CASE("rnn_cell: rows") {
  rows("tanh", RnnActivation::tanh, tanh);
  rows("relu", RnnActivation::relu, relu);
}

TEST_CASE("rnn_cell: bad input") {
  const auto e = [](Shape s) { return Tensor::empty(s); };
  constexpr auto op = "[rnn_cell]";
  check_throws(
      [&] {
        rnn_cell(e({2, 3}), e({4, 5}), e({5, 3}), e({5, 5}));
      },
      {op, "(2,3)", "(4,5)", "batch"});
  check_throws([&] { rnn_cell(e({2, 3}), e({2, 5}), e({15, 3}), e({5, 5})); }, {op, "(15,3)", "(5,3)"});
  check_throws(
      [&] {
        rnn_cell(e({2, 3}), e({2, 5}), e({5, 3}), e({5, 5}), {}, e({4}));
      },
      {op, "bias b_hh is (4); it must be (5)"});
}

}  // namespace
}  // namespace fovea::tests
