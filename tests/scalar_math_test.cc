#include "fovea/kernels/scalar_math.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

namespace math = fovea::math;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kMin = std::numeric_limits<float>::min();
constexpr float kMax = std::numeric_limits<float>::max();
constexpr float kDenormal = std::numeric_limits<float>::denorm_min();

// Distance from the exact value in units of the last place that a float has there; infinite where one is
// infinite, NaN or of the other sign and the other is not.
double ulps(float got, double exact) {
  const auto rounded = static_cast<float>(exact);
  if (std::isnan(got) || std::isnan(exact)) return std::isnan(got) && std::isnan(exact) ? 0 : kInf;
  if (std::signbit(got) != std::signbit(rounded)) return kInf;
  if (std::isinf(got) || std::isinf(rounded)) return got == rounded ? 0 : kInf;
  int exponent = 0;
  std::frexp(exact, &exponent);
  return std::fabs(got - exact) / std::ldexp(1.0, std::max(exponent, -125) - 24);
}

// Floats from low to high, once evenly spaced in their bits (every power of two alike), once in value.
std::vector<float> floats(float low, float high) {
  constexpr std::uint32_t kCount = 200000;
  std::vector<float> x;
  const auto from = [&](float near, float far, std::uint32_t sign) {
    const std::uint32_t first = std::bit_cast<std::uint32_t>(near), last = std::bit_cast<std::uint32_t>(far);
    const std::uint32_t step = std::max(1u, (last - first) / kCount);
    for (std::uint64_t bits = first; bits <= last; bits += step) {
      x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits) | sign));
    }
  };
  if (high >= 0) from(std::max(low, 0.0f), high, 0);
  if (low < 0) from(std::max(-high, 0.0f), -low, 0x80000000u);
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const float t = static_cast<float>(i) / kCount;
    x.push_back(low * (1 - t) + high * t);
  }
  return x;
}

// Calls f<float> in a loop that vectorises, as kernels do, and finds its largest distance from f<double>.
template <class F>
void check_ulps(const char* name, double bound, float low, float high, F f) {
  const std::vector<float> x = floats(low, high);
  std::vector<float> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = f(x[i]);
  double worst = 0;
  float at = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = ulps(y[i], f(static_cast<double>(x[i])));
    if (error > worst) worst = error, at = x[i];
  }
  INFO(name, ": largest error at x = ", at, ", where f(x) = ", f(at), ", not ", f(static_cast<double>(at)));
  CHECK(worst <= bound);
}

bool same(float a, float b) {
  return std::isnan(b) ? std::isnan(a) : a == b && std::signbit(a) == std::signbit(b);
}

}  // namespace

TEST_CASE("float functions keep their stated error bounds") {
  check_ulps("exp", 1.5, -110, 95, [](auto x) { return math::exp(x); });
  check_ulps("expm1", 2, -110, 95, [](auto x) { return math::expm1(x); });
  check_ulps("expm1", 2, -1, 1, [](auto x) { return math::expm1(x); });
  check_ulps("log", 1, 0, kMax, [](auto x) { return math::log(x); });
  check_ulps("log", 1, 0.5f, 2, [](auto x) { return math::log(x); });
  check_ulps("log1p", 2, -1, kMax, [](auto x) { return math::log1p(x); });
  check_ulps("log1p", 2, -0.9f, 2, [](auto x) { return math::log1p(x); });
  check_ulps("tanh", 3, -12, 12, [](auto x) { return math::tanh(x); });
  check_ulps("tanh", 3, -0.7f, 0.7f, [](auto x) { return math::tanh(x); });
  check_ulps("sigmoid", 3, -87, 100, [](auto x) { return math::sigmoid(x); });
  check_ulps("softplus", 2, -87.3f, 1e4f, [](auto x) { return math::softplus(x); });
  check_ulps("erf", 2.5, -6, 6, [](auto x) { return math::erf(x); });
  check_ulps("sin", 2, -1e6f, 1e6f, [](auto x) { return math::sin(x); });
  check_ulps("sin", 2, -3.2f, 3.2f, [](auto x) { return math::sin(x); });
  check_ulps("cos", 2, -1e6f, 1e6f, [](auto x) { return math::cos(x); });
  check_ulps("cos", 2, -3.2f, 3.2f, [](auto x) { return math::cos(x); });
  check_ulps("sqrt", 0.5, 0, kMax, [](auto x) { return math::sqrt(x); });
  check_ulps("rsqrt", 1.5, 0, kMax, [](auto x) { return math::rsqrt(x); });
}

TEST_CASE("float pow keeps its stated error bound") {
  const auto check = [](float y, float low, float high) {
    CAPTURE(y);
    check_ulps("pow", 1.5, low, high, [y](auto x) { return math::pow(x, static_cast<decltype(x)>(y)); });
  };
  for (const float y : {0.5f, 1.0f, 1.7f, 30.3f, -0.001f, -2.5f, 1e-9f}) check(y, 0, kMax);
  for (const float y : {2.0f, 3.0f, -1.0f, -5.0f, 17.0f}) check(y, -kMax, kMax);
  for (const float y : {1e6f, 8388607.0f, 16777215.0f, -16777215.0f, 1e30f}) check(y, -1.0001f, 1.0001f);
  for (const float x : {2.0f, 0.3f, 1.0000001f, 1e-40f, 1e38f}) {
    CAPTURE(x);
    check_ulps("pow", 1.5, -200, 200, [x](auto y) { return math::pow(static_cast<decltype(y)>(x), y); });
  }
}

TEST_CASE("float functions at special values") {
  struct Row {
    const char* name;
    float (*f)(float);
    float x, y;
  };
  using One = float (*)(float);
  const One exp = math::exp, expm1 = math::expm1, log = math::log, log1p = math::log1p, tanh = math::tanh;
  const One sigmoid = math::sigmoid, softplus = math::softplus, erf = math::erf, sin = math::sin,
            cos = math::cos;
  const One sqrt = math::sqrt<float>, rsqrt = math::rsqrt, abs = math::abs<float>;
  const Row rows[] = {
      {"exp", exp, 0, 1},
      {"exp", exp, -kInf, 0},
      {"exp", exp, kInf, kInf},
      {"exp", exp, -1000, 0},
      {"exp", exp, 1000, kInf},
      {"exp", exp, -1e9f, 0},
      {"exp", exp, kMax, kInf},
      {"exp", exp, -kMax, 0},
      {"expm1", expm1, -0.0f, -0.0f},
      {"expm1", expm1, kDenormal, kDenormal},
      {"expm1", expm1, -kInf, -1},
      {"expm1", expm1, -kMax, -1},
      {"expm1", expm1, kInf, kInf},
      {"expm1", expm1, 1000, kInf},
      {"log", log, 1, 0},
      {"log", log, 0, -kInf},
      {"log", log, -0.0f, -kInf},
      {"log", log, -1, kNan},
      {"log", log, -kDenormal, kNan},
      {"log", log, -kInf, kNan},
      {"log", log, kInf, kInf},
      {"log1p", log1p, -0.0f, -0.0f},
      {"log1p", log1p, -kDenormal, -kDenormal},
      {"log1p", log1p, -1, -kInf},
      {"log1p", log1p, -1.5f, kNan},
      {"log1p", log1p, -kInf, kNan},
      {"log1p", log1p, kInf, kInf},
      {"tanh", tanh, 0, 0},
      {"tanh", tanh, -0.0f, -0.0f},
      {"tanh", tanh, -kDenormal, -kDenormal},
      {"tanh", tanh, kInf, 1},
      {"tanh", tanh, -kInf, -1},
      {"tanh", tanh, 50, 1},
      {"tanh", tanh, -kMax, -1},
      {"sigmoid", sigmoid, 0, 0.5f},
      {"sigmoid", sigmoid, kInf, 1},
      {"sigmoid", sigmoid, -kInf, 0},
      {"sigmoid", sigmoid, -1000, 0},
      {"sigmoid", sigmoid, kMax, 1},
      {"sigmoid", sigmoid, -kMax, 0},
      {"softplus", softplus, kInf, kInf},
      {"softplus", softplus, -kInf, 0},
      {"softplus", softplus, -1000, 0},
      {"softplus", softplus, -kMax, 0},
      {"softplus", softplus, kMax, kMax},
      {"erf", erf, -0.0f, -0.0f},
      {"erf", erf, kInf, 1},
      {"erf", erf, -kInf, -1},
      {"erf", erf, kMax, 1},
      {"sin", sin, -0.0f, -0.0f},
      {"sin", sin, kDenormal, kDenormal},
      {"sin", sin, kInf, kNan},
      {"cos", cos, -0.0f, 1},
      {"cos", cos, -kInf, kNan},
      {"sqrt", sqrt, -1, kNan},
      {"sqrt", sqrt, kInf, kInf},
      {"rsqrt", rsqrt, 0, kInf},
      {"rsqrt", rsqrt, kInf, 0},
      {"rsqrt", rsqrt, -1, kNan},
      {"abs", abs, -0.0f, 0},
      {"abs", abs, -kInf, kInf},
  };
  for (const Row& row : rows) {
    INFO(row.name, "(", row.x, ") = ", row.f(row.x), ", not ", row.y);
    CHECK(same(row.f(row.x), row.y));
  }
  for (const One f : {exp, expm1, log, log1p, tanh, sigmoid, softplus, erf, sin, cos, sqrt, rsqrt, abs}) {
    CHECK(std::isnan(f(kNan)));
    CHECK(std::isnan(f(-kNan)));
    CHECK(std::isnan(f(std::bit_cast<float>(0x7fffffffu))));
  }
}

TEST_CASE("float pow has C's special values") {
  const std::vector<float> values = {0,          kDenormal, 0.3f, 1,        1.5f, 2,     3,
                                     4194303.5f, 8388607,   1e7f, 16777215, 1e9f, 1e38f, kMax,
                                     kInf,       kMin,      0.5f, 2.5f,     kNan};
  for (const float a : values) {
    for (const float b : values) {
      for (const float x : {a, -a}) {
        for (const float y : {b, -b}) {
          const auto exact = static_cast<float>(std::pow(static_cast<double>(x), static_cast<double>(y)));
          INFO("pow(", x, ", ", y, ") = ", math::pow(x, y), ", not ", exact);
          CHECK(ulps(math::pow(x, y), static_cast<double>(exact)) <= 2);
        }
      }
    }
  }
}

TEST_CASE("tanh, erf and sin are odd to the bit and bounded; sigmoid and erf saturate exactly") {
  for (const float x : floats(0, kMax)) {
    const float t = math::tanh(x), e = math::erf(x), s = math::sin(x), g = math::sigmoid(x);
    const bool good = same(math::tanh(-x), -t) && same(math::erf(-x), -e) && same(math::sin(-x), -s) &&
                      t <= 1 && e <= 1 && std::fabs(s) <= 1 && std::fabs(math::cos(x)) <= 1 && g <= 1 &&
                      (x < 9.02f || t == 1) && (x < 3.95f || e == 1) && (x < 17.4f || g == 1);
    if (!good) FAIL_CHECK("at x = ", x);
  }
}

TEST_CASE_TEMPLATE("max and min propagate NaN from either side", T, float, double) {
  const T nan = std::numeric_limits<T>::quiet_NaN(), inf = std::numeric_limits<T>::infinity();
  CHECK(math::max(T{1}, T{2}) == 2);
  CHECK(math::max(T{2}, T{1}) == 2);
  CHECK(math::min(T{1}, T{2}) == 1);
  CHECK(math::min(T{2}, T{1}) == 1);
  CHECK(math::max(-inf, T{1}) == 1);
  CHECK(math::min(inf, T{1}) == 1);
  CHECK(std::isnan(math::max(nan, T{1})));
  CHECK(std::isnan(math::max(T{1}, nan)));
  CHECK(std::isnan(math::min(nan, T{1})));
  CHECK(std::isnan(math::min(T{1}, nan)));
}

// The double versions are the yardstick above, so they need one of their own: identities and known digits.
TEST_CASE("double functions") {
  CHECK(math::exp(1.0) == doctest::Approx(2.718281828459045).epsilon(1e-15));
  CHECK(math::expm1(1e-10) == doctest::Approx(1.00000000005e-10).epsilon(1e-15));
  CHECK(math::log(10.0) == doctest::Approx(2.302585092994046).epsilon(1e-15));
  CHECK(math::log1p(1e-10) == doctest::Approx(9.9999999995e-11).epsilon(1e-15));
  CHECK(math::tanh(0.5) == doctest::Approx(0.46211715726000976).epsilon(1e-15));
  CHECK(math::sigmoid(1.0) == doctest::Approx(0.7310585786300049).epsilon(1e-15));
  CHECK(math::softplus(1.0) == doctest::Approx(1.3132616875182228).epsilon(1e-15));
  CHECK(math::softplus(-40.0) == doctest::Approx(4.248354255291589e-18).epsilon(1e-15));
  CHECK(math::softplus(1e5) == 1e5);
  CHECK(math::erf(0.5) == doctest::Approx(0.5204998778130465).epsilon(1e-15));
  CHECK(math::sin(1.0) == doctest::Approx(0.8414709848078965).epsilon(1e-15));
  CHECK(math::cos(1.0) == doctest::Approx(0.5403023058681398).epsilon(1e-15));
  CHECK(math::pow(2.0, 0.5) == doctest::Approx(1.4142135623730951).epsilon(1e-15));
  CHECK(math::sqrt(2.0) == doctest::Approx(1.4142135623730951).epsilon(1e-15));
  CHECK(math::rsqrt(4.0) == 0.5);
  CHECK(math::abs(-2.0) == 2.0);
  CHECK(std::isnan(math::softplus(static_cast<double>(kNan))));
}
