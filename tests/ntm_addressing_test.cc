#include "fovea/ops/ntm_addressing.h"

#include <cmath>

#include "fovea/core/tape.h"
#include "fovea/ops/circular_convolution.h"
#include "fovea/ops/cosine_similarity.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

Tensor composed(const Tensor& p, const Tensor& memory, const Tensor& before, bool tanh_key) {
  const Index M = memory.size(2), S = p.size(2) - M - 3;
  const auto part = [&](Index begin, Index n) { return slice(p, 2, begin, begin + n); };
  const Tensor raw = part(0, M), k = tanh_key ? tanh(raw) : raw;
  const Tensor K = cosine_similarity(unsqueeze(k, 2), unsqueeze(memory, 1));
  const Tensor content = softmax(softplus(part(M, 1)) * K);
  const Tensor gated = lerp(before, content, sigmoid(part(M + 1, 1)));
  const Tensor shifted = circular_convolution(gated, softmax(part(M + 2, S)));
  return softmax((softplus(part(M + 2 + S, 1)) + 1.0) * log(shifted + 1e-30));
}

// w_previous must be positive, so the row draws its logits.
Function with(bool tanh_key) {
  return [=](const Inputs& x) { return ntm_addressing(x[0], x[1], softmax(x[2]), tanh_key); };
}
Function oracle(bool tanh_key) {
  return [=](const Inputs& x) { return composed(x[0], x[1], softmax(x[2]), tanh_key); };
}

TEST_CASE("ntm_addressing: gradients, with its composition") {
  const auto shapes = [](Index B, Index H, Index N, Index M, Index S) {
    return std::vector<Shape>{{B, H, M + S + 3}, {B, N, M}, {B, H, N}};
  };
  check({"ntm_addressing",
         "linear key",
         {shapes(2, 2, 5, 3, 3), shapes(1, 1, 7, 20, 5), shapes(3, 4, 9, 1, 1), shapes(1, 1, 3, 2, 3),
          shapes(1, 2, 9, 40, 3), shapes(1, 1, 1800, 2, 3)},
         with(false),
         oracle(false),
         -2,
         2,
         1e-6,
         1e-4,
         false});
  check({"ntm_addressing",
         "tanh key",
         {shapes(2, 3, 8, 4, 3)},
         with(true),
         oracle(true),
         -2,
         2,
         1e-6,
         1e-4,
         false});
}

TEST_CASE("ntm_addressing: one tensor for several inputs") {
  const auto row = [](const char* variant, const std::vector<Shape>& shapes, auto f) {
    check({"ntm_addressing",
           variant,
           {shapes},
           [=](const Inputs& x) { return f(x, [](auto&... a) { return ntm_addressing(a..., false); }); },
           [=](const Inputs& x) { return f(x, [](auto&... a) { return composed(a..., false); }); },
           0.1,
           1,
           1e-6,
           1e-4,
           false});
  };
  row("parameters that are the old weighting", {{2, 2, 8}, {2, 8, 2}},
      [](const Inputs& x, auto f) { return f(x[0], x[1], x[0]); });
  row("memory that is the old weighting", {{2, 3, 9}, {2, 3, 3}},
      [](const Inputs& x, auto f) { return f(x[0], x[1], x[1]); });
}

TEST_CASE("ntm_addressing: golden value G1 of the reference sheet") {
  // k, and the numbers whose activations give beta 5, g 0.7, s (0.1, 0.2, 0.7), gamma 2
  const double raw[] = {0.9,
                        0.1,
                        0,
                        std::log(std::expm1(5.0)),
                        std::log(0.7 / 0.3),
                        std::log(0.1),
                        std::log(0.2),
                        std::log(0.7),
                        std::log(std::expm1(1.0))};
  const Tensor p = Tensor::from(std::span<const double>(raw), {1, 1, 9});
  const Tensor memory =
      cast(Tensor::from({1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1}, {1, 5, 3}), DType::f64);
  const Tensor before = cast(Tensor::from({0, 0, 1, 0, 0}, {1, 1, 5}), DType::f64);
  const Tensor w = ntm_addressing(p, memory, before);
  const double expected[] = {0.043194, 0.577510, 0.026128, 0.235917, 0.117251};
  for (Index i = 0; i < 5; ++i) CHECK(w.at({0, 0, i}) == doctest::Approx(expected[i]).epsilon(2e-5));
}

TEST_CASE("ntm_addressing: shift +1 moves from row j to j + 1, and wraps") {
  const Index N = 5, M = 2;
  Tensor p = zeros({1, 1, M + 6});
  float* raw = p.mutable_data<float>();
  raw[M + 1] = -100;  // g = 0: only the old weighting counts
  raw[M + 4] = 100;   // all weight on shift +1
  raw[M + 5] = -100;  // gamma = 1
  for (Index j = 0; j < N; ++j) {
    Tensor before = zeros({1, 1, N});
    before.mutable_data<float>()[j] = 1;
    const Tensor w = ntm_addressing(p, ones({1, N, M}), before);
    CHECK(w.at({0, 0, (j + 1) % N}) == doctest::Approx(1));
  }
}

TEST_CASE("ntm_addressing: extremes stay finite") {
  for (double scale : {0.0, 1e-6, 1000.0}) {
    const Tensor p = draw({2, 1, 26}, DType::f32, -scale, scale, 1),
                 m = draw({2, 128, 20}, DType::f32, -scale, scale, 2);
    const Tensor before = full({2, 1, 128}, 1 / 128.0);
    Tape tape;
    const Tensor P = tape.watch(p), M = tape.watch(m), B = tape.watch(before);
    const Tensor w = ntm_addressing(P, M, B);
    double sum = 0;
    for (Index i = 0; i < 128; ++i) sum += w.at({0, 0, i});
    CHECK(sum == doctest::Approx(1));
    tape.backward(w, {.seed = draw(w.shape(), DType::f32, -1, 1, 3)});
    for (const Tensor& g : {tape.gradient(P), tape.gradient(M), tape.gradient(B)})
      for (float v : g.values<float>()) REQUIRE(std::isfinite(v));
  }
}

TEST_CASE("ntm_addressing: bad input") {
  check_throws(
      [] {
        ntm_addressing(zeros({1, 1, 8}), zeros({1, 4, 3}), zeros({1, 1, 4}));
      },
      {"[ntm_addressing]", "S = 2", "odd"});
  check_throws(
      [] {
        ntm_addressing(zeros({1, 1, 9}), zeros({1, 4, 3}), zeros({1, 1, 5}));
      },
      {"[ntm_addressing]", "(1,1,5)", "(1,4,3)"});
}

}  // namespace
}  // namespace fovea::tests
