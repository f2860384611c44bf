#include "fovea/ops/dropout.h"

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// A generator that has used `skip` words, so that the first block is used in part.
Generator generator(int skip) {
  Generator random(11, 3);
  for (int i = 0; i < skip; ++i) random.bits();
  return random;
}

TEST_CASE("dropout: rows") {
  for (int skip : {0, 1, 3, 6})
    check({"dropout",
           "",
           {{{5}}, {{2, 3, 7}}, {{1}}, {{0, 3}}, {{64}}, {{300}}, {{3, 9001}}},
           [skip](const Inputs& x) {
             Generator random = generator(skip);
             return dropout(x[0], 0.3, random);
           },
           [skip](const Inputs& x) {
             Generator random = generator(skip);
             Tensor keep = zeros_like(x[0].detach());
             double* k = keep.mutable_data<double>();
             for (Index i = 0; i < keep.numel(); ++i)
               k[i] = static_cast<double>(random.uniform()) < 0.3 ? 0 : 1 / 0.7;
             return x[0] * keep;
           }});
}

TEST_CASE("dropout: off") {
  Generator random(1);
  const Tensor x = draw({5}, DType::f32, -1, 1, 1);
  CHECK(dropout(x, 0.5, random, false).same(x));
  CHECK(dropout(x, 0, random).same(x));
  CHECK(random.state() == Generator(1).state());
}

TEST_CASE("dropout: shares and the generator's place") {
  Generator random(7);
  const Tensor y = dropout(ones({100000}), 0.25, random);
  double dropped = 0, sum = 0;
  for (float v : y.values<float>()) dropped += v == 0, sum += v;
  CHECK(dropped / 1e5 == doctest::Approx(0.25).epsilon(0.02));
  CHECK(sum / 1e5 == doctest::Approx(1).epsilon(0.01));
  CHECK(random.state().offset == 100000);
  CHECK(difference(dropout(ones({100000}), 0.25, random), y) > 0);
}

TEST_CASE("dropout: bad input") {
  Generator random;
  check_throws([&] { dropout(Tensor::empty({2}), 1, random); }, {"[dropout]", "p is 1", "[0, 1)"});
  check_throws([&] { dropout(Tensor::empty({2}), -0.1, random); }, {"[dropout]", "-0.1"});
  check_throws([&] { dropout(Tensor::empty({2}, DType::u8), 0.5, random); },
               {"[dropout]", "f32 or f64", "u8"});
}

}  // namespace
}  // namespace fovea::tests
