#include "fovea/ops/ntm_write.h"

#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

Tensor composed(const Inputs& x) {
  const Index H = x[1].size(1);
  Tensor kept = x[0], added;
  for (Index h = 0; h < H; ++h) {
    const Tensor w = unsqueeze(select(x[1], 1, h), 2);  // [B,N,1]
    const Tensor e = unsqueeze(select(x[2], 1, h), 1), a = unsqueeze(select(x[3], 1, h), 1);
    kept = kept * (1.0 - w * e);
    added = added.defined() ? added + w * a : w * a;
  }
  return kept + added;
}

TEST_CASE("ntm_write: gradients, with its composition") {
  const auto shapes = [](Index B, Index H, Index N, Index M) {
    return std::vector<Shape>{{B, N, M}, {B, H, N}, {B, H, M}, {B, H, M}};
  };
  check({"ntm_write",
         "",
         {shapes(2, 1, 5, 3), shapes(1, 3, 4, 7), shapes(3, 2, 1, 1), shapes(1, 1, 9, 20), shapes(0, 1, 2, 3),
          shapes(1, 2, 9, 40)},
         [](const Inputs& x) { return ntm_write(x[0], x[1], x[2], x[3]); },
         composed});
  check({"ntm_write",
         "one tensor for all",
         {{{2, 3, 3}}},
         [](const Inputs& x) { return ntm_write(x[0], x[0], x[0], x[0]); },
         [](const Inputs& x) {
           return composed({x[0], x[0], x[0], x[0]});
         }});
}

TEST_CASE("ntm_write: golden value G1, and replacing a row exactly") {
  const Tensor memory = Tensor::from({1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1}, {1, 5, 3});
  const Tensor w = Tensor::from({0.043194f, 0.577510f, 0.026128f, 0.235917f, 0.117251f}, {1, 1, 5});
  const Tensor y = ntm_write(memory, w, Tensor::from({1, 0.5f, 0}, {1, 1, 3}),
                             Tensor::from({0.2f, -0.3f, 0.4f}, {1, 1, 3}));
  const double expected[5][3] = {{0.965445, -0.012958, 0.017278},
                                 {0.115502, 0.537992, 0.231004},
                                 {0.005226, -0.007838, 1.010451},
                                 {0.811266, 0.811266, 0.094367},
                                 {0.023450, 0.906199, 1.046901}};
  for (Index i = 0; i < 5; ++i)
    for (Index m = 0; m < 3; ++m) CHECK(std::abs(y.at({0, i, m}) - expected[i][m]) < 1.5e-6);
  const Tensor one = ntm_write(memory, Tensor::from({0, 0, 1, 0, 0}, {1, 1, 5}), ones({1, 1, 3}),
                               Tensor::from({7, 8, 9}, {1, 1, 3}));
  CHECK(one.at({0, 2, 1}) == 8);
  CHECK(one.at({0, 3, 1}) == 1);
}

TEST_CASE("ntm_write: bad input") {
  check_throws(
      [] {
        ntm_write(zeros({1, 5, 3}), zeros({1, 1, 4}), zeros({1, 1, 3}), zeros({1, 1, 3}));
      },
      {"[ntm_write]", "(1,1,4)", "(1,5,3)"});
  check_throws(
      [] {
        ntm_write(zeros({1, 5, 3}), zeros({1, 1, 5}), zeros({1, 1, 3}), zeros({1, 2, 3}));
      },
      {"[ntm_write]", "(1,2,3)"});
}

}  // namespace
}  // namespace fovea::tests
