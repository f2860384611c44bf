#include "fovea/ops/gru_cell.h"

#include "fovea/ops/linear.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

Tensor composed(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                const Tensor& b_hh) {
  const Index H = h.size(1);
  const Tensor a = linear(x, w_ih, b_ih), c = linear(h, w_hh, b_hh);
  const auto gate = [H](const Tensor& t, Index i) { return slice(t, 1, i * H, (i + 1) * H); };
  const Tensor r = sigmoid(gate(a, 0) + gate(c, 0)), z = sigmoid(gate(a, 1) + gate(c, 1));
  const Tensor n = tanh(gate(a, 2) + r * gate(c, 2));
  return (1 - z) * n + z * h;
}

std::vector<Shape> shapes(Index B, Index I, Index H) {
  return {{B, I}, {B, H}, {3 * H, I}, {3 * H, H}, {3 * H}, {3 * H}};
}

TEST_CASE("gru_cell: rows") {
  // Fewer rows wait for other steps' (linear.h); more than 128 do not.
  check({"gru_cell",
         "biases",
         {shapes(3, 4, 5), shapes(1, 1, 1), shapes(1, 7, 9), shapes(130, 3, 17), shapes(0, 2, 3)},
         [](const Inputs& x) { return gru_cell(x[0], x[1], x[2], x[3], x[4], x[5]); },
         [](const Inputs& x) { return composed(x[0], x[1], x[2], x[3], x[4], x[5]); }});
  check({"gru_cell",
         "no biases",
         {{{3, 4}, {3, 5}, {15, 4}, {15, 5}}},
         [](const Inputs& x) { return gru_cell(x[0], x[1], x[2], x[3]); },
         [](const Inputs& x) { return composed(x[0], x[1], x[2], x[3], {}, {}); }});
  check({"gru_cell",
         "several steps; x is h, and the weights are one",
         {{{2, 5}, {15, 5}, {15}}},
         [](const Inputs& x) {
           const Tensor h = gru_cell(x[0], x[0], x[1], x[1], x[2], x[2]);
           return gru_cell(x[0], gru_cell(h, h, x[1], x[1], x[2], x[2]), x[1], x[1], x[2], x[2]);
         },
         [](const Inputs& x) {
           const Tensor h = composed(x[0], x[0], x[1], x[1], x[2], x[2]);
           return composed(x[0], composed(h, h, x[1], x[1], x[2], x[2]), x[1], x[1], x[2], x[2]);
         }});
}

TEST_CASE("gru_cell: transposed weights") {
  const auto t = [](Index m, Index n) { return draw({n, m}, DType::f32, -1, 1, 2).view({m, n}, {1, m}, 0); };
  const auto packed = [&](Index m, Index n) { return affine(t(m, n), 1, 0); };
  const Tensor x = draw({2, 3}, DType::f32, -1, 1, 1), h = draw({2, 4}, DType::f32, -1, 1, 3);
  CHECK(difference(gru_cell(x, h, t(12, 3), t(12, 4)), gru_cell(x, h, packed(12, 3), packed(12, 4))) == 0);
}

TEST_CASE("gru_cell: bad input") {
  const auto e = [](Shape s) { return Tensor::empty(s); };
  constexpr auto op = "[gru_cell]";
  check_throws(
      [&] {
        gru_cell(e({2, 3}), e({4, 5}), e({15, 3}), e({15, 5}));
      },
      {op, "(2,3)", "(4,5)", "batch"});
  check_throws([&] { gru_cell(e({2, 3}), e({2, 5}), e({20, 3}), e({15, 5})); }, {op, "(20,3)", "(15,3)"});
  check_throws(
      [&] {
        gru_cell(e({2, 3}), e({2, 5}), e({15, 3}), e({15, 5}), e({5}));
      },
      {op, "bias b_ih is (5); it must be (15)"});
  check_throws(
      [&] {
        gru_cell(e({2, 3}), Tensor::empty({2, 5}, DType::f64), e({15, 3}), e({15, 5}));
      },
      {op, "h is f64 and x f32", "cast"});
  check_throws([&] { gru_cell(e({2, 4}), e({2, 5}), e({15, 3}), e({15, 5})); }, {op, "x is (2,4)", "(2,3)"});
}

}  // namespace
}  // namespace fovea::tests
