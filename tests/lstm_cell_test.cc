#include "fovea/ops/lstm_cell.h"

#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/linear.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

Tensor both(const LstmState& s) { return concat(std::vector<Tensor>{s.h, s.c}, 1); }

LstmState composed(const Tensor& x, const LstmState& s, const Tensor& w_ih, const Tensor& w_hh,
                   const Tensor& b_ih, const Tensor& b_hh) {
  const Index H = s.h.size(1);
  const Tensor gates = linear(x, w_ih, b_ih) + linear(s.h, w_hh, b_hh);
  const auto gate = [&](Index i) { return slice(gates, 1, i * H, (i + 1) * H); };
  const Tensor c = sigmoid(gate(1)) * s.c + sigmoid(gate(0)) * tanh(gate(2));
  return {sigmoid(gate(3)) * tanh(c), c};
}

std::vector<Shape> shapes(Index B, Index I, Index H) {
  return {{B, I}, {B, H}, {B, H}, {4 * H, I}, {4 * H, H}, {4 * H}, {4 * H}};
}

TEST_CASE("lstm_cell: gradients, with its composition") {
  const std::vector<std::vector<Shape>> all = {shapes(2, 3, 4), shapes(1, 5, 2), shapes(3, 1, 1),
                                               shapes(9, 7, 9)};
  check({"lstm_cell", "h and c", all,
         [](const Inputs& x) {
           return both(lstm_cell(x[0], {x[1], x[2]}, x[3], x[4], x[5], x[6]));
         },
         [](const Inputs& x) {
           return both(composed(x[0], {x[1], x[2]}, x[3], x[4], x[5], x[6]));
         }});
  check({"lstm_cell", "only h is used", {shapes(2, 3, 4)}, [](const Inputs& x) {
           return lstm_cell(x[0], {x[1], x[2]}, x[3], x[4], x[5], x[6]).h;
         }});
  check({"lstm_cell", "only c is used, no bias", {shapes(2, 3, 4)}, [](const Inputs& x) {
           return lstm_cell(x[0], {x[1], x[2]}, x[3], x[4]).c;
         }});
}

TEST_CASE("lstm_cell: bad input") {
  const LstmState s{zeros({2, 4}), zeros({2, 4})};
  check_throws(
      [&] {
        lstm_cell(zeros({3, 3}), s, zeros({16, 3}), zeros({16, 4}));
      },
      {"[lstm_cell]", "(2,4)", "(3,3)"});
  check_throws(
      [&] {
        lstm_cell(zeros({2, 3}), s, zeros({12, 3}), zeros({16, 4}));
      },
      {"[lstm_cell]", "(12,3)", "(16,3)"});
  check_throws(
      [&] {
        lstm_cell(zeros({2, 3}), s, zeros({16, 3}), zeros({16, 4}), zeros({4}));
      },
      {"[lstm_cell]", "bias b_ih", "(4)", "(16)"});
  // Whichever one is wrong is the one that is named.
  const auto e = [](Shape shape, DType dtype = DType::f32) { return Tensor::empty(shape, dtype); };
  const auto cell = [&](Tensor x, Tensor h, Tensor c, Tensor w_ih, Tensor w_hh) {
    return [=] { lstm_cell(x, {h, c}, w_ih, w_hh); };
  };
  const Tensor x = e({2, 3}), h = e({2, 4}), w_ih = e({16, 3}), w_hh = e({16, 4});
  check_throws(cell(e({2, 5}), h, h, w_ih, w_hh), {"x is (2,5); it must be (2,3)"});
  check_throws(cell(x, e({2, 5}), h, w_ih, w_hh), {"h is (2,5); it must be (2,4)"});
  check_throws(cell(x, e({4}), h, w_ih, w_hh), {"h is (4); it must be a matrix"});
  check_throws(cell(x, h, e({2, 5}), w_ih, w_hh), {"c is (2,5) f32; it must be (2,4) f32"});
  check_throws(cell(x, h, e({2, 4}, DType::f64), w_ih, w_hh), {"c is (2,4) f64; it must be (2,4) f32"});
  check_throws(cell(x, h, h, e({20, 3}), w_hh), {"w_ih is (20,3); it must be (16,3)"});
  check_throws(cell(x, h, h, w_ih, e({20, 5})), {"w_hh is (20,5); it must be (16,4)"});
  check_throws(cell(x, h, h, w_ih, e({4, 16})), {"w_hh is (4,16); it must be (16,4)"});
}

}  // namespace
}  // namespace fovea::tests
