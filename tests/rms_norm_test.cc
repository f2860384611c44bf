#include "fovea/ops/rms_norm.h"

#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

TEST_CASE("rms_norm: rows") {
  // Small rows may lie near 0, which magnifies rounding: eps is larger there.
  const auto normalised = [](const Tensor& x) { return x * rsqrt(mean(square(x), -1, true) + 1e-3); };
  check({"rms_norm",
         "weight",
         {{{5}, {5}}, {{2, 3, 7}, {7}}, {{1}, {1}}, {{0, 3}, {3}}, {{130, 67}, {67}}},
         [](const Inputs& x) { return rms_norm(x[0], x[1], 1e-3); },
         [=](const Inputs& x) { return normalised(x[0]) * x[1]; }});
  check({"rms_norm",
         "plain",
         {{{5}}, {{2, 3, 7}}, {{1}}, {{0, 3}}, {{2, 300}}},
         [](const Inputs& x) { return rms_norm(x[0], {}, 1e-3); },
         [=](const Inputs& x) { return normalised(x[0]); }});
}

TEST_CASE("rms_norm: bad input") {
  const Tensor x = Tensor::empty({2, 3});
  check_throws([&] { rms_norm(x, Tensor::empty({2})); }, {"[rms_norm]", "(2)", "(2,3)", "(3)"});
  check_throws([&] { rms_norm(x, Tensor::empty({3}, DType::f64)); }, {"[rms_norm]", "f64", "cast"});
  check_throws([&] { rms_norm(Tensor::empty({})); }, {"[rms_norm]", "dimension"});
  check_throws([&] { rms_norm(x, {}, 0); }, {"[rms_norm]", "eps"});
}

}  // namespace
}  // namespace fovea::tests
