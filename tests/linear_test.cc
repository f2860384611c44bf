#include "fovea/ops/linear.h"

#include "fovea/ops/create.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

TEST_CASE("linear: gradients, with its composition") {
  check({"linear",
         "with bias",
         {{{2, 3}, {4, 3}, {4}},
          {{1, 5}, {7, 5}, {7}},
          {{2, 3, 5}, {1, 5}, {1}},
          {{5}, {2, 5}, {2}},
          {{0, 3}, {2, 3}, {2}},
          {{200, 3}, {2, 3}, {2}}},
         [](const Inputs& x) { return linear(x[0], x[1], x[2]); },
         [](const Inputs& x) {
           const Index in = x[1].size(1), rows = x[0].numel() / in;
           return reshape(matmul(reshape(x[0], {rows, in}), transpose(x[1], 0, 1)) + x[2],
                          x[0].shape().replaced(x[0].rank() - 1, x[1].size(0)));
         }});
  check({"linear",
         "without bias",
         {{{2, 3}, {4, 3}}, {{1, 1}, {1, 1}}, {{3, 33}, {17, 33}}},
         [](const Inputs& x) { return linear(x[0], x[1]); }});
}

TEST_CASE("linear: no inputs leave the bias, and strided operands are read as they lie") {
  const Tensor b = Tensor::from({1, 2}, {2});
  CHECK(linear(zeros({3, 0}), zeros({2, 0}), b).at({2, 1}) == 2);
  const Tensor wide = Tensor::from({1, 9, 2, 9}, {2, 2}), w = draw({3, 2}, DType::f32, -1, 1, 1),
               x = ones({4, 3});
  CHECK(difference(linear(x, transpose(w, 0, 1), select(wide, 1, 0)),
                   linear(x, clone(transpose(w, 0, 1)), b)) == 0);
}

TEST_CASE("linear: bad input") {
  check_throws([] { linear(zeros({2, 3}), zeros({4, 5})); }, {"[linear]", "(2,3)", "(4,5)"});
  check_throws([] { linear(zeros({2, 3}), zeros({4, 3}), zeros({3})); }, {"[linear]", "bias", "4 outputs"});
  check_throws([] { linear(zeros({2, 3}), zeros({4, 3}, DType::f64)); }, {"[linear]", "f32", "f64"});
}

}  // namespace
}  // namespace fovea::tests
