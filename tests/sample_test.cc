#include "fovea/ops/sample.h"

#include <omp.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "fovea/core/captured.h"
#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// A generator that has used `skip` words, so that the first block is used in part.
Generator generator(int skip) {
  Generator random(11, 3);
  for (int i = 0; i < skip; ++i) random.bits();
  return random;
}

// The numbers Generator::normal() makes, without its rounding to float.
Tensor normals(const Shape& shape, Generator& random) {
  Tensor e = Tensor::empty(shape, DType::f64);
  for (double& x : std::span(e.mutable_data<double>(), static_cast<std::size_t>(e.numel()))) {
    const double u = (random.bits() + 1.0) * 0x1p-32, v = random.bits() * 0x1p-32;
    x = std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
  }
  return e;
}

TEST_CASE("gaussian_sample: rows") {
  for (int skip : {0, 1, 6})
    check({"gaussian_sample",
           "",
           {{{5}, {5}},
            {{2, 3, 7}, {2, 3, 7}},
            {{}, {}},
            {{0, 3}, {0, 3}},
            {{300}, {300}},
            {{2, 9001}, {2, 9001}}},
           [skip](const Inputs& x) {
             Generator random = generator(skip);
             return gaussian_sample(x[0], x[1], random);
           },
           [skip](const Inputs& x) {
             Generator random = generator(skip);
             const Tensor e = normals(x[0].shape(), random);
             return x[0] + exp(x[1]) * e;
           }});
}

TEST_CASE("gaussian_sample: the generator's own normal numbers, and its place after them") {
  Generator a = generator(3), b = generator(3);
  const Tensor z = gaussian_sample(zeros({50000}), zeros({50000}), a);
  double worst = 0;
  for (float x : z.values<float>()) worst = std::max(worst, static_cast<double>(std::abs(x - b.normal())));
  CHECK(worst < 2e-6);
  CHECK(a.state() == b.state());
  CHECK(difference(gaussian_sample(zeros({9}), zeros({9}), a), slice(z, 0, 0, 9)) > 0);
}

TEST_CASE("gaussian_sample: moments") {
  Generator random(5);
  const Index n = 200000;
  const Tensor z = gaussian_sample(full({n}, 3), full({n}, std::log(2)), random);
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
  for (float x : z.values<float>()) {
    const double e = (x - 3) / 2, d = 1.0 / static_cast<double>(n);
    m1 += e * d;
    m2 += e * e * d;
    m3 += e * e * e * d;
    m4 += e * e * e * e * d;
  }
  // Four standard errors each: the moments' variances are 1, 2, 15 and 96 over n.
  const double error = 4 / std::sqrt(static_cast<double>(n));
  CHECK(std::abs(m1) < error);
  CHECK(std::abs(m2 - 1) < error * std::sqrt(2.0));
  CHECK(std::abs(m3) < error * std::sqrt(15.0));
  CHECK(std::abs(m4 - 3) < error * std::sqrt(96.0));
}

TEST_CASE("bernoulli_sample: shares, certainties and the generator's place") {
  const Index n = 100000;
  for (double x : {-3.0, -0.5, 0.0, 2.0}) {
    Generator random = generator(2), plain = generator(2);
    const Tensor y = bernoulli_sample(full({n}, x), random);
    const double p = 1 / (1 + std::exp(-x));
    double ones = 0, different = 0;
    for (float v : y.values<float>()) {
      ones += v;
      different += v != (plain.uniform() < p ? 1 : 0);
    }
    CHECK(std::abs(ones / static_cast<double>(n) - p) < 4 * std::sqrt(p * (1 - p) / static_cast<double>(n)));
    CHECK(different == 0);
    CHECK(random.state() == plain.state());
  }
  Generator random;
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor y = bernoulli_sample(Tensor::from({-inf, inf, -1000, 1000, std::nanf("")}, {5}), random);
  const float expected[] = {0, 1, 0, 1};
  for (Index i = 0; i < 4; ++i) CHECK(y.at({i}) == expected[i]);
  CHECK(std::isnan(y.at({4})));
  CHECK(bernoulli_sample(zeros({2, 0}, DType::f64), random).shape() == Shape{2, 0});
  CHECK(bernoulli_sample(zeros({3}, DType::f64), random).dtype() == DType::f64);
}

TEST_CASE("categorical_sample: shares by chi-squared") {
  const Tensor logits = Tensor::from({0.3f, -1, 2, 0, 1.1f, -2.5f, 0.7f}, {7});
  const Tensor p = softmax(cast(logits, DType::f64));
  const Index n = 70000;
  for (DType type : {DType::f32, DType::f64}) {
    Generator random = generator(5);
    const Tensor ids = categorical_sample(cast(expand(logits, {n, 7}), type), random);
    CHECK(random.state().offset == static_cast<std::uint64_t>(5 + n));
    double counts[7] = {}, chi = 0;
    for (std::int32_t id : ids.values<std::int32_t>()) {
      REQUIRE(id >= 0);
      REQUIRE(id < 7);
      ++counts[id];
    }
    for (Index k = 0; k < 7; ++k) {
      const double expected = p.at({k}) * static_cast<double>(n);
      chi += (counts[k] - expected) * (counts[k] - expected) / expected;
    }
    CHECK(chi < 22.5);  // the 0.999 quantile at 6 degrees of freedom
    CHECK(chi > 0.38);  // and the 0.001: too good is wrong as well
  }
}

TEST_CASE("categorical_sample: impossible classes, neighbours independent, one class") {
  const float inf = std::numeric_limits<float>::infinity();
  Generator random(2);
  const Index n = 40000;
  const Tensor ids = categorical_sample(expand(Tensor::from({-inf, 0, -inf, 0, -inf}, {5}), {n, 5}), random);
  double same = 0;
  const auto v = ids.values<std::int32_t>();
  for (std::size_t i = 0; i < v.size(); ++i) {
    CHECK_MESSAGE((v[i] == 1 || v[i] == 3), "class ", v[i]);
    if (i > 0) same += v[i] == v[i - 1];
  }
  CHECK(std::abs(same / static_cast<double>(n) - 0.5) < 4 * 0.5 / std::sqrt(static_cast<double>(n)));
  CHECK(categorical_sample(zeros({1}), random).item<int>() == 0);
  CHECK(categorical_sample(zeros({2, 0, 3}), random).shape() == Shape{2, 0});
  CHECK(categorical_sample(Tensor::from({1000, -1000}, {2}), random).item<int>() == 0);
}

TEST_CASE("sample: the same draws on one thread and on several, and from a saved state") {
  Generator a(4), b(4);
  const Tensor mu = draw({300, 400}, DType::f32, -1, 1, 1), s = draw({300, 400}, DType::f32, -1, 1, 2);
  const auto all = [&](Generator& random) {
    return std::vector<Tensor>{gaussian_sample(mu, s, random), bernoulli_sample(mu, random),
                               categorical_sample(mu, random)};
  };
  const std::vector<Tensor> x = all(a);
  const Generator::State middle = a.state();
  const int threads = omp_get_max_threads();
  omp_set_num_threads(threads == 1 ? 3 : 1);
  const std::vector<Tensor> y = all(b);
  omp_set_num_threads(threads);
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(difference(x[i], y[i]) == 0);
  const std::vector<Tensor> later = all(a);
  a.set_state(middle);
  const std::vector<Tensor> again = all(a);
  for (std::size_t i = 0; i < x.size(); ++i) {
    CHECK(difference(later[i], again[i]) == 0);
    CHECK(difference(later[i], x[i]) > 0);
  }
}

TEST_CASE("sample: the same draws on every device") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Index classes : {Index{7}, Index{70}}) {
      const Tensor mu = cast(draw({300, classes}, DType::f32, -3, 3, 1), dtype), s = mu * 0.3;
      std::vector<Tensor> host;
      for (const Device& device : devices()) {
        Generator random = generator(3);
        const Tensor x = to(mu, device);
        const std::vector<Tensor> draws{bernoulli_sample(x, random), categorical_sample(x, random),
                                        gaussian_sample(x, to(s, device), random)};
        if (host.empty()) host = draws;
        CHECK(difference(draws[0], host[0]) == 0);
        CHECK(difference(draws[1], host[1]) == 0);
        CHECK(difference(draws[2], host[2]) < 2e-6);
        CHECK(random.state().offset == static_cast<std::uint64_t>(3 + 300 * (3 * classes + 1)));
      }
    }
}

#ifdef FOVEA_CUDA
TEST_CASE("sample: every replay of a captured step draws anew, as the step itself would") {
  if (cuda_device_count() == 0) {
    MESSAGE("skipped: no GPU");
    return;
  }
  const auto draw_all = [x = to(draw({50, 7}, DType::f32, -1, 1, 1), Cuda{})](Generator& random) {
    const Tensor ids = cast(categorical_sample(x, random), DType::f32);
    return gaussian_sample(x, x, random) + bernoulli_sample(x, random) + unsqueeze(ids, 1);
  };
  Generator eager = generator(3), replayed = generator(3);
  const Tensor y = draw_all(eager);
  eager = generator(3);
  const Captured step(Cuda{}, [&] { assign(y, draw_all(replayed)); });
  CHECK(replayed.state() == eager.state());  // recorded, not run
  for (int i = 0; i < 3; ++i) {
    step();
    CHECK(difference(y, draw_all(eager)) == 0);
    CHECK(replayed.state() == eager.state());
  }
}
#endif

TEST_CASE("sample: bad input") {
  Generator random;
  check_throws([&] { gaussian_sample(zeros({2}), zeros({3}), random); }, {"[gaussian_sample]", "(2)", "(3)"});
  check_throws([&] { gaussian_sample(zeros({2}), zeros({2}, DType::f64), random); },
               {"[gaussian_sample]", "f64", "cast()"});
  check_throws([&] { gaussian_sample(zeros({2}, DType::u8), zeros({2}, DType::u8), random); },
               {"[gaussian_sample]", "u8"});
  check_throws([&] { bernoulli_sample(zeros({2}, DType::i32), random); }, {"[bernoulli_sample]", "i32"});
  check_throws([&] { categorical_sample(zeros({}), random); }, {"[categorical_sample]", "[..,K]"});
  check_throws([&] { categorical_sample(zeros({2, 0}), random); }, {"[categorical_sample]", "(2,0)"});
  const float inf = std::numeric_limits<float>::infinity();
  for (float bad : {inf, -inf, std::nanf("")})
    for (const Device& device : devices())
      check_throws(
          [&] {
            categorical_sample(to(Tensor::from({0, 0, bad, bad == inf ? 0 : bad}, {2, 2}), device), random);
            synchronize(device);  // a GPU tells at the next wait
          },
          {"[categorical_sample]", "no distribution",
           is_cpu(device) ? "row 1 of the logits (2,2)" : "the one at 1"});
}

}  // namespace
}  // namespace fovea::tests
