#include "fovea/ops/matmul.h"

#include <cmath>

#include "fovea/ops/create.h"
#include "fovea/ops/linear.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

Tensor flipped(const Tensor& x) {  // the last two dimensions exchanged, as a view
  Shape shape = x.shape(), strides = x.strides();
  const int r = x.rank();
  std::swap(shape[r - 2], shape[r - 1]);
  std::swap(strides[r - 2], strides[r - 1]);
  return x.view(shape, strides, 0);
}

TEST_CASE("matmul: gradients, vectors, batches and broadcasting") {
  check({"matmul",
         "2-D",
         {{{2, 3}, {3, 4}},
          {{1, 7}, {7, 5}},
          {{5, 7}, {7, 1}},
          {{1, 1}, {1, 1}},
          {{4, 1}, {1, 6}},
          {{3, 0}, {0, 2}},
          {{0, 3}, {3, 2}},
          {{33, 17}, {17, 9}}},
         [](const Inputs& x) { return matmul(x[0], x[1]); }});
  check({"matmul",
         "batched and broadcast",
         {{{3, 2, 4}, {3, 4, 5}},
          {{3, 2, 4}, {4, 5}},
          {{2, 4}, {3, 4, 5}},
          {{2, 1, 2, 3}, {4, 3, 2}},
          {{3, 1, 6}, {3, 6, 5}},
          {{0, 2, 3}, {3, 2}}},
         [](const Inputs& x) { return matmul(x[0], x[1]); }});
}

TEST_CASE("matmul: transposed and sliced views are used as they are") {
  const Tensor a = draw({4, 6}, DType::f64, -1, 1, 1), b = draw({5, 6}, DType::f64, -1, 1, 2);
  const Tensor y = matmul(a, flipped(b));
  for (Index i = 0; i < 4; ++i)
    for (Index j = 0; j < 5; ++j) {
      double sum = 0;
      for (Index k = 0; k < 6; ++k) sum += a.at({i, k}) * b.at({j, k});
      CHECK(y.at({i, j}) == doctest::Approx(sum));
    }
  CHECK(difference(matmul(flipped(a), a), matmul(clone(flipped(a)), a)) < 1e-14);
  const Tensor part = a.view({4, 3}, {6, 1}, 2), stretched = a.view({4, 6}, {0, 1}, 0);
  CHECK(difference(matmul(flipped(part), part), matmul(flipped(clone(part)), clone(part))) < 1e-14);
  CHECK(difference(matmul(stretched, flipped(b)), matmul(clone(stretched), clone(flipped(b)))) < 1e-14);
}

TEST_CASE("matmul: a product large enough for two threads") {
  const Tensor a = draw({200, 150}, DType::f32, -1, 1, 1), b = draw({150, 180}, DType::f32, -1, 1, 2);
  CHECK(difference(matmul(a, b), matmul(cast(a, DType::f64), cast(b, DType::f64))) < 1e-4);
}

TEST_CASE("matmul: any small number of rows, with the right side as it lies or turned") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (Index m = 1; m <= 66; m += m < 35 ? 1 : 6) {
      const Tensor a = draw({m, 19}, dtype, -1, 1, 1), b = draw({53, 19}, dtype, -1, 1, 2),
                   bias = draw({53}, dtype, -1, 1, 3);
      const Tensor turned = matmul(a, clone(flipped(b)));
      CHECK(difference(matmul(a, flipped(b)), turned) < 1e-6);
      CHECK(difference(linear(a, b, bias), turned + bias) < 1e-6);  // adds to what is there
      double worst = 0;
      for (Index i = 0; i < m; ++i)
        for (Index j = 0; j < 53; ++j) {
          double sum = 0;
          for (Index k = 0; k < 19; ++k) sum += a.at({i, k}) * b.at({j, k});
          worst = std::max(worst, std::fabs(turned.at({i, j}) - sum));
        }
      CHECK(worst < (dtype == DType::f32 ? 1e-5 : 1e-13));
    }
}

TEST_CASE("matmul: bad input") {
  check_throws(
      [] {
        matmul(zeros({32, 128}), zeros({64, 10}));
      },
      {"[matmul]", "(32,128) x (64,10)", "the last size of the first"});
  check_throws([] { matmul(zeros({3}), zeros({3, 2})); }, {"[matmul]", "rank 2", "unsqueeze"});
  // Advice is given where it helps alone, and following it does help.
  const Tensor a = zeros({2, 3}), b = zeros({5, 3}), c = zeros({2, 5}), d = zeros({5, 2});
  check_throws([&] { matmul(a, b); }, {"transpose the second"});
  CHECK(matmul(a, transpose(b, 0, 1)).shape() == Shape{2, 5});
  check_throws([&] { matmul(a, c); }, {"transpose the first"});
  CHECK(matmul(transpose(a, 0, 1), c).shape() == Shape{3, 5});
  check_throws([&] { matmul(a, d); }, {"swap"});
  CHECK(matmul(d, a).shape() == Shape{5, 3});
  check_throws([] { matmul(zeros({2, 3, 4}), zeros({5, 4, 2})); }, {"[matmul]", "(2)", "(5)"});
  check_throws([] { matmul(zeros({2, 3}), zeros({3, 2}, DType::f64)); }, {"[matmul]", "f32", "f64"});
}

}  // namespace
}  // namespace fovea::tests
