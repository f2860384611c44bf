#include "fovea/ops/reduce.h"

#include <omp.h>

#include <cmath>
#include <limits>

#include "fovea/core/tape.h"
#include "fovea/ops/compare.h"
#include "fovea/ops/create.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"
#include "fovea/ops/where.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

const std::vector<std::vector<Shape>> cubes = {
    {{2, 3, 4}}, {{5, 1, 7}}, {{1, 1, 1}}, {{3, 9, 33}}, {{2, 300, 3}}};
const std::vector<std::vector<Shape>> hollow = {{{3, 0, 2}}, {{0, 3, 1}}, {{2, 3, 0}}};

using Reduction = Tensor (*)(const Tensor&, const Axes&, bool);

Tensor norm_of(const Tensor& x, const Axes& axes, bool keepdim) { return norm(x, axes, keepdim); }
Tensor var_of(const Tensor& x, const Axes& axes, bool keepdim) { return var(x, axes, keepdim, 0); }

// Every kind of layout: first, middle, last, mixed, all; of a row-major tensor and of views.
void reduction(const char* name, Reduction f,
               std::function<Tensor(const Tensor&, const Axes&)> composed = nullptr) {
  for (const Axes& axes : {Axes{0}, Axes{1}, Axes{2}, Axes{0, 1}, Axes{0, 2}, Axes{-1, -2}, Axes{}}) {
    Function oracle;
    if (composed) oracle = [=](const Inputs& x) { return composed(x[0], axes); };
    check({name, "", cubes, [=](const Inputs& x) { return f(x[0], axes, true); }, oracle});
    check({name, "of a transposed view", {{{2, 3, 4}}, {{3, 17, 2}}}, [=](const Inputs& x) {
             return f(transpose(x[0], 0, 2), axes, false);
           }});
  }
  check({name, "of stretched and cut views", {{{3, 1, 4}}}, [=](const Inputs& x) {
           return f(slice(expand(x[0], {3, 5, 4}), 2, 1, 4, 2), {0, 1}, false);
         }});
}

TEST_CASE("reduce: rows") {
  reduction("sum", sum);
  check({"sum",
         "by hand",
         {{{3, 4}}, {{3, 1}}, {{3, 0}}},
         [](const Inputs& x) { return sum(x[0], 0); },
         [](const Inputs& x) { return select(x[0], 0, 0) + select(x[0], 0, 1) + select(x[0], 0, 2); }});
  reduction("mean", mean, [](const Tensor& x, const Axes& axes) {
    const Tensor y = sum(x, axes, true);
    return y * (static_cast<double>(y.numel()) / static_cast<double>(x.numel()));
  });
  reduction("max", max);
  check({"max", "by its position", cubes, [](const Inputs& x) { return max(x[0], -1); },
         [](const Inputs& x) {
           return sum(x[0] * one_hot(argmax(x[0], -1), x[0].size(-1), x[0].dtype()), -1);
         }});
  reduction("min", min, [](const Tensor& x, const Axes& axes) { return neg(max(neg(x), axes, true)); });
  reduction("logsumexp", logsumexp,
            [](const Tensor& x, const Axes& axes) { return log(sum(exp(x), axes, true)); });
  reduction("norm", norm_of,
            [](const Tensor& x, const Axes& axes) { return sqrt(sum(square(x), axes, true)); });
  check({"norm", "eps", cubes, [](const Inputs& x) { return norm(x[0], 1, false, 0.1); },
         [](const Inputs& x) { return sqrt(sum(square(x[0]), 1) + 0.1); }});
  reduction("var", var_of, [](const Tensor& x, const Axes& axes) {
    return mean(square(x - mean(x, axes, true)), axes, true);
  });
  check({"var",
         "correction 1",
         {{{2, 3, 4}}, {{1, 5, 1}}},
         [](const Inputs& x) { return var(x[0], 1); },
         [](const Inputs& x) {
           const double n = static_cast<double>(x[0].size(1));
           return sum(square(x[0] - mean(x[0], 1, true)), 1) * (1 / (n - 1));
         }});
}

TEST_CASE("reduce: nothing") {
  check({"sum", "over no elements", hollow, [](const Inputs& x) { return sum(x[0], 1); }});
  check({"sum", "all, over no elements", hollow, [](const Inputs& x) { return sum(x[0]); }});
  check({"norm", "over no elements", hollow, [](const Inputs& x) { return norm(x[0], 1); }});
  check({"mean", "no results", {{{0, 3, 1}}, {{2, 3, 0}}}, [](const Inputs& x) { return mean(x[0], 1); }});
  check({"max", "no results", {{{0, 3, 1}}, {{2, 3, 0}}}, [](const Inputs& x) { return max(x[0], 1); }});
  check({"var", "no results", {{{0, 3, 1}}, {{2, 3, 0}}}, [](const Inputs& x) { return var(x[0], 1); }});
  CHECK(sum(Tensor::empty({0})).item() == 0);
  CHECK(logsumexp(Tensor::empty({2, 0}), 1).at({1}) == -std::numeric_limits<double>::infinity());
  CHECK(argmax(Tensor::empty({0, 3}), 1).shape() == Shape{0});
}

TEST_CASE("reduce: shapes") {
  const Tensor x = draw({2, 3, 4}, DType::f32, -1, 1, 1);
  CHECK(sum(x).shape() == Shape{});
  CHECK(sum(x, {}, true).shape() == Shape{1, 1, 1});
  CHECK(sum(x, {0, -1}).shape() == Shape{3});
  CHECK(sum(x, {0, -1}, true).shape() == Shape{1, 3, 1});
  CHECK(sum(full({}, 3)).item() == 3);
  CHECK(max(full({}, 3)).item() == 3);
}

// A plain loop in double.
double plain(const Tensor& x, double (*f)(double, double), double start) {
  const Tensor wide = cast(contiguous(x), DType::f64);
  for (double v : wide.values<double>()) start = f(start, v);
  return start;
}

TEST_CASE("reduce: many elements are summed accurately") {
  const auto add = [](double a, double b) { return a + b; };
  for (const Shape& shape :
       {Shape{1000003}, Shape{3, 333333}, Shape{333333, 3}, Shape{70, 150, 97}, Shape{1000, 1000}}) {
    CAPTURE(shape);
    const Tensor x = draw(shape, DType::f32, 0, 1, 4);
    const double wanted = plain(x, add, 0);
    CHECK(sum(x).item<double>() == doctest::Approx(wanted).epsilon(3e-7));
    const Tensor first = sum(x, 0);
    const double error = std::abs(plain(first, add, 0) - wanted) / wanted;
    CHECK(error < 3e-7);
    for (Index i = 0; i < first.shape().rank() && i < 1; ++i)
      CHECK(
          first.at(shape.rank() == 3 ? std::initializer_list<Index>{1, 2}
                                     : std::initializer_list<Index>{1}) ==
          doctest::Approx(plain(shape.rank() == 3 ? select(select(x, 2, 2), 1, 1) : select(x, 1, 1), add, 0))
              .epsilon(3e-7));
    const Tensor last = sum(x, -1);
    CHECK(std::abs(plain(last, add, 0) - wanted) / wanted < 3e-7);
    CHECK(mean(x).item<double>() == doctest::Approx(wanted / static_cast<double>(x.numel())).epsilon(3e-7));
    CHECK(max(x).item<double>() == plain(
                                       x, [](double a, double b) { return std::max(a, b); }, -9));
    CHECK(min(x).item<double>() == plain(
                                       x, [](double a, double b) { return std::min(a, b); }, 9));
    const Tensor flat = reshape(x, {x.numel()});
    CHECK(flat.at({argmax(x).item<Index>()}) == max(x).item<double>());
    CHECK(difference(max(max(x, 0), {}), max(x)) == 0);
  }
}

TEST_CASE("reduce: the number of threads changes nothing") {
  const int threads = omp_get_max_threads();
  for (const Shape& shape : {Shape{300007}, Shape{200000, 2}, Shape{2, 200000}, Shape{90, 50, 80}}) {
    const Tensor x = draw(shape, DType::f32, -1, 1, 4);
    std::vector<Tensor> results[2];
    for (int i = 0; i < 2; ++i) {
      omp_set_num_threads(i == 0 ? 1 : 3);
      for (const Axes& axes : {Axes{}, Axes{0}, Axes{-1}})
        for (const Tensor& y : {sum(x, axes), logsumexp(x, axes), var(x, axes, false, 0), max(x, axes)})
          results[i].push_back(y);
    }
    omp_set_num_threads(threads);
    for (std::size_t k = 0; k < results[0].size(); ++k) CHECK(difference(results[0][k], results[1][k]) == 0);
  }
}

TEST_CASE("reduce: the first of equals, and NaN") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const Tensor x = Tensor::from({1, 5, 5, 2, 9, nan, nan, 9, -inf, -inf, -inf, -inf}, {3, 4});
  const Tensor at = argmax(x, 1), m = max(x, 1);
  CHECK(at.dtype() == DType::i32);
  CHECK(difference(at, Tensor::from({1, 1, 0}, {3})) == 0);
  CHECK(m.at({0}) == 5);
  CHECK(std::isnan(m.at({1})));
  CHECK(m.at({2}) == -inf);
  CHECK(difference(argmax(x, 0), Tensor::from({1, 1, 1, 1}, {4})) == 0);
  CHECK(argmax(x).item<Index>() == 5);
  CHECK(argmax(transpose(x, 0, 1)).item<Index>() == 4);  // counted in the view's own order
  CHECK(std::isnan(min(x).item()));
  CHECK(std::isnan(sum(x).item()));
  CHECK(logsumexp(x, 1).at({2}) == -inf);
  Tensor late = zeros({100000});
  late.mutable_data<float>()[70001] = nan;
  CHECK(std::isnan(max(late).item()));
  CHECK(argmax(late).item<Index>() == 70001);
  CHECK(argmax(zeros({300, 300})).item<Index>() == 0);

  Tape tape;
  const Tensor w = tape.watch(Tensor::from({1, 5, 5, 2, -inf, -inf, -inf, -inf}, {2, 4}));
  SUBCASE("max") {
    tape.backward(sum(max(w, 1)));
    CHECK(difference(tape.gradient(w), Tensor::from({0, 1, 0, 0, 1, 0, 0, 0}, {2, 4})) == 0);
  }
  SUBCASE("logsumexp of -inf alone has gradient 0") {
    tape.backward(sum(logsumexp(w, 1)));
    CHECK(tape.gradient(w).at({1, 2}) == 0);
    CHECK(tape.gradient(w).at({0, 1}) == doctest::Approx(0.48354).epsilon(1e-4));
  }
}

TEST_CASE("reduce: every device finds the same first of equals, and NaN") {
  for (const Shape& shape : {Shape{100003}, Shape{3, 30011}, Shape{30011, 3}, Shape{7, 90, 5}}) {
    CAPTURE(shape);
    Tensor x = draw(shape, DType::f32, -40, 40, 4);
    float* v = x.mutable_data<float>();
    for (Index i = 0; i < x.numel(); ++i) v[i] = std::round(v[i]);
    for (const bool nan : {false, true}) {
      if (nan) v[x.numel() / 3] = std::numeric_limits<float>::quiet_NaN();
      for (const Axes& axes : {Axes{}, Axes{0}, Axes{-1}})
        for (const Device& device : devices()) {
          CHECK(difference(argmax(to(x, device), axes), argmax(x, axes)) == 0);
          const Tensor least = to(min(to(x, device), axes), Cpu{}), same = min(x, axes);
          CHECK(difference(where(equal(least, least), least, full({}, 99)),
                           where(equal(same, same), same, full({}, 99))) == 0);
        }
    }
  }
}

// Long rows and many, rows behind each other and columns, by packs and one by one, whole and cut into slabs.
TEST_CASE("reduce: every device sums rows of any length alike, the same on every run") {
  using Layout = std::pair<Shape, Axes>;
  for (const auto& [shape, axes] :
       {Layout{{50000}, {}}, Layout{{50003}, {}}, Layout{{3, 12020}, {-1}}, Layout{{4100, 40}, {-1}},
        Layout{{40, 5, 96}, {0, 2}}, Layout{{90, 6, 49}, {0, 2}}, Layout{{4, 3, 5, 2, 52}, {0, 2, 4}},
        Layout{{2001, 7}, {0}}})
    for (const Reduction f : {Reduction(sum), var_of}) {
      CAPTURE(shape);
      const auto run = [&, &axes = axes](const Tensor& x) {
        Tape tape;
        const Tensor w = tape.watch(x), y = f(w, axes, true);
        tape.backward(y, {.seed = beside(x, cast(draw(y.shape(), DType::f32, -1, 1, 5), x.dtype()))});
        return std::pair{y.detach(), tape.gradient(w)};
      };
      const Tensor x = draw(shape, DType::f32, 0, 1, 4);
      const auto [y, dx] = run(cast(x, DType::f64));
      for (const Device& device : devices()) {
        const auto [first, dfirst] = run(to(x, device));
        CHECK(difference(first, y) < 1e-6);
        CHECK(difference(dfirst, dx) < 1e-6);
        CHECK(difference(run(to(x, device)).first, first) == 0);
      }
    }
}

TEST_CASE("reduce: every device sums many columns alike, the same on every run") {
  const Tensor x = draw({3, 1401, 1000}, DType::f32, 0, 1, 4), flat = reshape(x, {4203, 1000});
  for (const Device& device : devices())
    for (const auto& [y, again, wanted] :
         {std::tuple{sum(to(flat, device), 0), sum(to(flat, device), 0), sum(cast(flat, DType::f64), 0)},
          std::tuple{var(to(x, device), 1), var(to(x, device), 1), var(cast(x, DType::f64), 1)}}) {
      CHECK(difference(y, wanted) < 1e-6);
      CHECK(difference(again, y) == 0);
    }
}

TEST_CASE("reduce: the norm at zero has a gradient") {
  for (double eps : {0.0, 1e-6}) {
    Tape tape;
    const Tensor x = tape.watch(zeros({2, 3}));
    tape.backward(sum(norm(x, 1, false, eps)));
    CHECK(difference(tape.gradient(x), zeros({2, 3})) == 0);
  }
}

TEST_CASE("reduce: bad input") {
  const Tensor x = Tensor::empty({2, 3}), none = Tensor::empty({2, 0});
  check_throws([&] { sum(x, 2); }, {"[sum]", "dimension 2", "(2,3)"});
  check_throws([&] { sum(x, {0, -2}); }, {"[sum]", "twice", "(2,3)"});
  check_throws([&] { sum(Tensor::empty({2}, DType::i32)); }, {"[sum]", "i32", "cast"});
  check_throws([&] { mean(none, 1); }, {"[mean]", "(2,0)", "nothing"});
  check_throws([&] { max(none, 1); }, {"[max]", "(2,0)", "nothing"});
  check_throws([&] { min(none); }, {"[min]", "(2,0)", "nothing"});
  check_throws([&] { argmax(none, -1); }, {"[argmax]", "(2,0)", "nothing"});
  check_throws([&] { var(Tensor::empty({1, 3}), 0); }, {"[var]", "1 elements", "(1,3)"});
  check_throws([&] { norm(x, 0, false, -1); }, {"[norm]", "eps -1"});
}

}  // namespace
}  // namespace fovea::tests
