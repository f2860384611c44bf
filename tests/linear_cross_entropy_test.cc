#include "fovea/ops/linear_cross_entropy.h"

#include "fovea/core/memory.h"
#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/cross_entropy.h"
#include "fovea/ops/linear.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// A class for every row of x, every fifth ignored.
Tensor classes_of(const Tensor& x, const Tensor& weight) {
  Tensor classes = zeros(x.shape().erased(x.rank() - 1), DType::i32);
  auto* y = classes.mutable_data<std::int32_t>();
  for (Index r = 0; r < classes.numel(); ++r)
    y[r] = r % 5 == 3 ? -100 : static_cast<std::int32_t>((r * 7 + 2) % weight.size(0));
  return beside(x, classes);
}

void check_both(const char* variant, const LinearCrossEntropyOptions& o) {
  const auto oracle = [o](const Inputs& x, const Tensor& bias) {
    return softmax_cross_entropy(linear(x[0], x[1], bias), classes_of(x[0], x[1]),
                                 {.label_smoothing = o.label_smoothing, .reduction = o.reduction});
  };
  check({"linear_cross_entropy",
         variant,
         {{{4, 3}, {7, 3}, {7}}, {{2, 3, 5}, {1, 5}, {1}}, {{0, 3}, {2, 3}, {2}}, {{3}, {4, 3}, {4}}},
         [o](const Inputs& x) { return linear_cross_entropy(x[0], x[1], x[2], classes_of(x[0], x[1]), o); },
         [=](const Inputs& x) { return oracle(x, x[2]); }});
  check({"linear_cross_entropy",
         variant,
         {{{4, 3}, {7, 3}}, {{2, 13, 5}, {33, 5}}, {{1, 1}, {2, 1}}, {{3, 2}, {1030, 2}}},
         [o](const Inputs& x) { return linear_cross_entropy(x[0], x[1], {}, classes_of(x[0], x[1]), o); },
         [=](const Inputs& x) { return oracle(x, {}); }});
}

TEST_CASE("linear_cross_entropy: rows") {
  check_both("mean", {});
  check_both("sum, chunks", {.reduction = Reduction::sum, .chunk_rows = 3});
  check_both("smooth, chunks of one", {.label_smoothing = 0.2, .chunk_rows = 1});
}

// q by hand: (1 - eps) at the class and eps / (V - 1) everywhere but at the class left out.
TEST_CASE("linear_cross_entropy: rows smoothed over all classes but one") {
  constexpr double eps = 0.3;
  constexpr Index without = 1;
  const Tensor classes = Tensor::from(std::vector<std::int32_t>{0, 3, -100, 2}, {4});
  const auto oracle = [=](const Inputs& x) {
    const Tensor log_p = log_softmax(linear(x[0], x[1], x[2]));
    const Index V = log_p.size(1);
    Tensor q = zeros({4, V}, x[0].dtype());
    visit_float("test", q.dtype(), [&]<class T>() {
      T* to = q.mutable_data<T>();
      for (const Index r : {0, 1, 3}) {
        std::fill_n(to + r * V, V, static_cast<T>(eps / static_cast<double>(V - 1)));
        to[r * V + without] = 0;
        to[r * V + classes.data<std::int32_t>()[r]] += static_cast<T>(1 - eps);
      }
    });
    return sum(beside(x[0], q) * log_p) / -3.0;
  };
  for (const Index chunk : {0, 1})
    check({"linear_cross_entropy",
           "not_smoothed",
           {{{4, 3}, {7, 3}, {7}}, {{4, 1}, {4, 1}, {4}}},
           [=](const Inputs& x) {
             return linear_cross_entropy(
                 x[0], x[1], x[2], beside(x[0], classes),
                 {.label_smoothing = eps, .not_smoothed = without, .chunk_rows = chunk});
           },
           oracle});
}

TEST_CASE("linear_cross_entropy: rows with one input that takes a gradient") {
  const Tensor w = draw({6, 3}, DType::f64, -1, 1, 5);
  check({"linear_cross_entropy",
         "constant weight",
         {{{4, 3}}},
         [w](const Inputs& x) {
           const Tensor v = beside(x[0], cast(w, x[0].dtype()));
           return linear_cross_entropy(x[0], v, {}, classes_of(x[0], v));
         },
         [w](const Inputs& x) { return softmax_cross_entropy(linear(x[0], w), classes_of(x[0], w)); }});
  const Tensor h = draw({4, 3}, DType::f64, -1, 1, 6);
  check({"linear_cross_entropy",
         "constant x",
         {{{6, 3}}},
         [h](const Inputs& x) {
           const Tensor g = beside(x[0], cast(h, x[0].dtype()));
           return linear_cross_entropy(g, x[0], {}, classes_of(g, x[0]));
         },
         [h](const Inputs& x) { return softmax_cross_entropy(linear(h, x[0]), classes_of(h, x[0])); }});
}

TEST_CASE("linear_cross_entropy: nothing to count is 0") {
  for (const Device& device : devices()) {
    const Tensor x = to(draw({2, 3}, DType::f32, -1, 1, 1), device);
    const Tensor w = to(draw({4, 3}, DType::f32, -1, 1, 2), device), y = to(full({2}, 3, DType::i32), device);
    CHECK(linear_cross_entropy(x, w, {}, to(full({2}, -100, DType::i32), device)).item() == 0);
    CHECK(linear_cross_entropy(x, w, {}, y, {.ignore_index = 3}).item() == 0);
    if (is_cpu(device)) continue;
    check_throws(
        [&] {
          linear_cross_entropy(x, slice(w, 0, 0, 3), {}, y);
          synchronize(device);
        },
        {"[linear_cross_entropy]", "index 3 at position", "limit 3"});
  }
}

TEST_CASE("linear_cross_entropy: the logits never exist as a whole") {
  const Index rows = 2048, V = 4096;
  const Tensor x = draw({rows, 4}, DType::f32, -1, 1, 1), w = draw({V, 4}, DType::f32, -1, 1, 2);
  Tape tape;
  const Tensor a = tape.watch(x), b = tape.watch(w);
  release_cached_memory();
  reset_peak_memory();
  const std::size_t before = memory_stats().allocated;
  tape.backward(linear_cross_entropy(a, b, {}, zeros({rows}, DType::i32)));
  CHECK(memory_stats().peak - before < rows * V * sizeof(float) / 3);
}

TEST_CASE("linear_cross_entropy: bad input") {
  const Tensor x = zeros({2, 3}), w = zeros({4, 3}), y = zeros({2}, DType::i32);
  const auto throws = [](auto f, std::vector<std::string> parts) {
    parts.push_back("[linear_cross_entropy]");
    check_throws(f, parts);
  };
  throws([&] { linear_cross_entropy(zeros({2, 5}), w, {}, y); }, {"(2,5)", "(4,3)"});
  throws([&] { linear_cross_entropy(x, zeros({3}), {}, y); }, {"[V,D]"});
  throws([&] { linear_cross_entropy(x, zeros({4, 3}, DType::f64), {}, y); }, {"f32", "f64"});
  throws([&] { linear_cross_entropy(x, w, zeros({3}), y); }, {"bias (3)", "4 classes"});
  throws([&] { linear_cross_entropy(x, w, {}, zeros({3}, DType::i32)); }, {"classes (3)"});
  throws([&] { linear_cross_entropy(x, w, {}, zeros({2})); }, {"i32"});
  throws([&] { linear_cross_entropy(x, w, {}, full({2}, 4, DType::i32)); }, {"class 4 of row 0", "0 to 3"});
  throws([&] { linear_cross_entropy(x, w, {}, y, {.label_smoothing = 1}); }, {"label_smoothing is 1"});
  throws([&] { linear_cross_entropy(x, w, {}, y, {.not_smoothed = 4}); }, {"not_smoothed is 4", "4 classes"});
  throws([&] { linear_cross_entropy(x, w, {}, y, {.not_smoothed = 0}); },
         {"row 0 has class 0", "ignore_index"});
  throws([&] { linear_cross_entropy(x, w, {}, y, {.reduction = Reduction::none}); }, {"mean or sum"});
  throws([&] { linear_cross_entropy(x, w, {}, y, {.chunk_rows = -1}); }, {"chunk_rows"});
}

}  // namespace
}  // namespace fovea::tests
