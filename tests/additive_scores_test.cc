#include "fovea/ops/additive_scores.h"

#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

Tensor composed(const Tensor& q, const Tensor& k, const Tensor& v) {
  return sum(tanh(unsqueeze(q, 2) + unsqueeze(k, 1)) * v, 3);
}

TEST_CASE("additive_scores: rows") {
  check({"additive_scores",
         "queries, keys and v",
         {{{2, 3, 5}, {2, 4, 5}, {5}},
          {{1, 1, 1}, {1, 1, 1}, {1}},
          {{0, 2, 3}, {0, 4, 3}, {3}},
          {{2, 0, 3}, {2, 4, 3}, {3}},
          {{2, 3, 4}, {2, 0, 4}, {4}},
          {{2, 3, 0}, {2, 4, 0}, {0}},
          {{3, 1, 33}, {3, 7, 33}, {33}},
          {{9, 2, 260}, {9, 31, 260}, {260}}},
         [](const Inputs& x) { return additive_scores(x[0], x[1], x[2]); },
         [](const Inputs& x) { return composed(x[0], x[1], x[2]); }});
  check({"additive_scores",
         "queries that are keys",
         {{{2, 3, 5}, {5}}},
         [](const Inputs& x) { return additive_scores(x[0], x[0], x[1]); },
         [](const Inputs& x) { return composed(x[0], x[0], x[1]); }});
  check({"additive_scores",
         "views",
         {{{4, 2, 3}, {2, 5, 4}, {4}}},
         [](const Inputs& x) {
           return additive_scores(permute(x[0], {1, 2, 0}), x[1], x[2]);
         },
         [](const Inputs& x) {
           return composed(permute(x[0], {1, 2, 0}), x[1], x[2]);
         }});
  check({"additive_scores",
         "some scores unused",
         {{{2, 3, 5}, {2, 4, 5}, {5}}},
         [](const Inputs& x) { return slice(additive_scores(x[0], x[1], x[2]), 2, 1, 3); },
         [](const Inputs& x) { return slice(composed(x[0], x[1], x[2]), 2, 1, 3); }});
}

TEST_CASE("additive_scores: bad input") {
  const Tensor q = Tensor::empty({2, 3, 4}), k = Tensor::empty({2, 5, 4}), v = Tensor::empty({4});
  check_throws(
      [&] {
        additive_scores(Tensor::empty({3, 4}), k, v);
      },
      {"[additive_scores]", "[B,T,A]", "(3,4)"});
  check_throws([&] { additive_scores(q, Tensor::empty({3, 5, 4}), v); }, {"(2,3,4)", "(3,5,4)"});
  check_throws([&] { additive_scores(q, Tensor::empty({2, 5, 3}), v); }, {"(2,5,3)"});
  check_throws([&] { additive_scores(q, k, Tensor::empty({5})); }, {"(5)"});
  check_throws([&] { additive_scores(q, k, Tensor::empty({4}, DType::f64)); }, {"f32", "f64", "cast"});
}

}  // namespace
}  // namespace fovea::tests
