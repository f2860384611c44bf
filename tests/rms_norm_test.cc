#include "fovea/ops/rms_norm.h"

#include "fovea/core/tape.h"
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

// Rows of which a warp or a block holds packs, and rows that are taken element by element.
TEST_CASE("rms_norm: rows of any length") {
  for (const Index n : {4, 8, 132, 260, 516})
    check({"rms_norm", "rows of packs", {{{3, n}, {n}}}, [](const Inputs& x) {
             return rms_norm(x[0], x[1], 1e-3);
           }});
  const auto twice = [](const Tensor& x, const Tensor& weight) {
    Tape tape;
    const Tensor wx = tape.watch(x), w = tape.watch(weight);
    const Tensor y = rms_norm(wx, w, 1e-3) + rms_norm(wx, w, 1e-3);  // adds two gradients
    tape.backward(y, {.seed = beside(x, cast(draw(x.shape(), DType::f32, -1, 1, 7), x.dtype()))});
    return std::vector<Tensor>{y.detach(), tape.gradient(wx), tape.gradient(w)};
  };
  for (const Index n : {1024, 1025, 1028, 4100, 9000, 16384, 16388}) {
    CAPTURE(n);
    const Tensor x = draw({3, n}, DType::f32, -2, 2, 3), w = draw({n}, DType::f32, -2, 2, 4);
    const auto wanted = twice(cast(x, DType::f64), cast(w, DType::f64));
    for (const Device& device : devices()) {
      const auto got = twice(to(x, device), to(w, device));
      for (std::size_t i = 0; i < got.size(); ++i) CHECK(difference(got[i], wanted[i]) < 2e-5);
    }
  }
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
