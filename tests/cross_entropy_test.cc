#include "fovea/ops/cross_entropy.h"

#include <cmath>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/softmax.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// Every third row is ignored when `ignore` is set.
Tensor classes_for(const Tensor& logits, bool ignore) {
  Generator random(4);
  Tensor y = rand_int(logits.shape().erased(logits.rank() - 1), random, 0, logits.shape().back());
  auto* c = y.mutable_data<std::int32_t>();
  for (Index i = 0; ignore && i < y.numel(); i += 3) c[i] = -100;
  return y;
}

struct Options {
  double smoothing;
  bool ignore, weights;
  Reduction reduction;
};

Function fused(Options o) {
  return [o](const Inputs& x) {
    CrossEntropyOptions c{.label_smoothing = o.smoothing, .reduction = o.reduction};
    if (o.weights)
      c.class_weights = beside(x[0], cast(draw({x[0].shape().back()}, DType::f64, 0.5, 2, 8), x[0].dtype()));
    return softmax_cross_entropy(x[0], beside(x[0], classes_for(x[0], o.ignore)), c);
  };
}

// -sum q log_softmax(x) with q written out.
Function composed(Options o) {
  return [o](const Inputs& x) {
    const Index n = x[0].shape().back();
    const Tensor y = classes_for(x[0], o.ignore), w = draw({n}, DType::f64, 0.5, 2, 8);
    Tensor q = zeros(x[0].shape(), DType::f64);
    double *p = q.mutable_data<double>(), total = 0;
    for (Index r = 0; r < y.numel(); ++r) {
      const Index c = y.values<std::int32_t>()[static_cast<std::size_t>(r)];
      if (c < 0) continue;
      const auto weight = [&](Index k) { return o.weights ? w.at({k}) : 1.0; };
      for (Index k = 0; k < n; ++k)
        p[r * n + k] =
            (k == c ? (1 - o.smoothing) * weight(c) : 0) + o.smoothing / static_cast<double>(n) * weight(k);
      total += weight(c);
    }
    const Tensor l = neg(sum(q * log_softmax(x[0]), -1));
    if (o.reduction == Reduction::none) return l;
    return sum(l) * (o.reduction == Reduction::mean && total > 0 ? 1 / total : 1);
  };
}

TEST_CASE("softmax_cross_entropy: rows") {
  const std::vector<std::vector<Shape>> shapes = {{{5}},    {{4, 7}}, {{2, 3, 9}}, {{1, 1}},
                                                  {{4, 1}}, {{0, 3}}, {{2, 300}},  {{65, 101}}};
  for (Reduction r : {Reduction::mean, Reduction::sum, Reduction::none}) {
    check({"softmax_cross_entropy", "plain", shapes, fused({0, false, false, r}),
           composed({0, false, false, r})});
    check({"softmax_cross_entropy", "smoothing, ignored rows", shapes, fused({0.1, true, false, r}),
           composed({0.1, true, false, r})});
    check({"softmax_cross_entropy", "weights, ignored rows", shapes, fused({0, true, true, r}),
           composed({0, true, true, r})});
    check({"softmax_cross_entropy", "smoothing and weights", shapes, fused({0.2, false, true, r}),
           composed({0.2, false, true, r})});
  }
}

TEST_CASE("softmax_cross_entropy: golden values") {
  const Tensor x = Tensor::from({2, 1, 0, -1, 0.5}, {1, 5}),
               y = Tensor::from(std::vector<std::int32_t>{0}, {1});
  CHECK(softmax_cross_entropy(x, y).item() == doctest::Approx(0.574438).epsilon(1e-6));
  CHECK(softmax_cross_entropy(x, y, {.label_smoothing = 0.1}).item() ==
        doctest::Approx(0.724438).epsilon(1e-6));
}

TEST_CASE("softmax_cross_entropy: all rows ignored") {
  for (const Device& device : devices()) {
    Tape tape;
    const Tensor x = tape.watch(to(draw({2, 3}, DType::f32, -1, 1, 1), device));
    const Tensor l = softmax_cross_entropy(x, to(full({2}, 7, DType::i32), device), {.ignore_index = 7});
    CHECK(l.item() == 0);
    tape.backward(l);
    CHECK(difference(tape.gradient(x), zeros({2, 3})) == 0);
  }
}

TEST_CASE("softmax_cross_entropy: bad input") {
  const Tensor x = draw({2, 3}, DType::f32, -1, 1, 1);
  const auto y = [](std::int32_t a, std::int32_t b) {
    return Tensor::from(std::vector<std::int32_t>{a, b}, {2});
  };
  check_throws([&] { softmax_cross_entropy(x, y(0, 3)); },
               {"[softmax_cross_entropy]", "class 3", "row 1", "0 to 2"});
  for (const Device& device : devices())
    check_throws(
        [&] {
          softmax_cross_entropy(to(x, device), to(y(0, 3), device));
          synchronize(device);  // a GPU tells at the next wait
        },
        {"[softmax_cross_entropy]", is_cpu(device) ? "class 3" : "index 3 at position 1"});
  check_throws([&] { softmax_cross_entropy(x, y(-1, 0)); }, {"class -1", "row 0", "ignore_index"});
  check_throws([&] { softmax_cross_entropy(x, Tensor::empty({3}, DType::i32)); }, {"(3)", "(2,3)"});
  check_throws([&] { softmax_cross_entropy(x, Tensor::empty({2})); }, {"f32", "i32"});
  check_throws([&] { softmax_cross_entropy(x, y(0, 0), {.label_smoothing = 1}); },
               {"label_smoothing is 1", "[0, 1)"});
  check_throws([&] { softmax_cross_entropy(x, y(0, 0), {.class_weights = Tensor::empty({2})}); },
               {"class_weights", "(2)", "(3)"});
  Tape tape;
  check_throws([&] { softmax_cross_entropy(x, y(0, 0), {.class_weights = tape.watch(Tensor::empty({3}))}); },
               {"class_weights", "detach"});
}

}  // namespace
}  // namespace fovea::tests
