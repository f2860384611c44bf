#ifndef FOVEA_KERNELS_SCALAR_MATH_H_
#define FOVEA_KERNELS_SCALAR_MATH_H_

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numbers>

/// The elementary functions that kernels are made of, one number at a time. On the CPU the float versions are
/// straight-line code, so that a plain loop over them vectorises (AVX2, AVX-512) under
/// `-O3 -fno-math-errno -fno-trapping-math`. Never build this with -ffast-math: it cancels the rounding
/// tricks. On CUDA the same names call the device's own functions.
///
/// Error bounds are the CPU's, in units in the last place (ulp) of the float result, hold with and without
/// fused multiply-add, and are checked by tests/scalar_math_test.cc. NaN in, NaN out, unless said otherwise.

#ifndef FOVEA_HD
#ifdef __CUDACC__
#define FOVEA_HD __host__ __device__
#else
#define FOVEA_HD
#endif
#endif

namespace fovea::math {

/// |x|
template <std::floating_point T>
FOVEA_HD inline T abs(T x) {
  return std::fabs(x);
}

/// The larger one; NaN if either is.
template <std::floating_point T>
FOVEA_HD inline T max(T a, T b) {
  return ((a > b) | (a != a)) ? a : b;
}

/// The smaller one; NaN if either is.
template <std::floating_point T>
FOVEA_HD inline T min(T a, T b) {
  return ((a < b) | (a != a)) ? a : b;
}

/// Correctly rounded; NaN below 0, keeps -0.
template <std::floating_point T>
FOVEA_HD inline T sqrt(T x) {
  return std::sqrt(x);
}

// Double serves gradient checks and tests: exactness matters there and speed does not.
FOVEA_HD inline double exp(double x) { return std::exp(x); }
FOVEA_HD inline double expm1(double x) { return std::expm1(x); }
FOVEA_HD inline double log(double x) { return std::log(x); }
FOVEA_HD inline double log1p(double x) { return std::log1p(x); }
FOVEA_HD inline double tanh(double x) { return std::tanh(x); }
FOVEA_HD inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
FOVEA_HD inline double softplus(double x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x))); }
FOVEA_HD inline double erf(double x) { return std::erf(x); }
FOVEA_HD inline double sin(double x) { return std::sin(x); }
FOVEA_HD inline double cos(double x) { return std::cos(x); }
FOVEA_HD inline double pow(double x, double y) { return std::pow(x, y); }
FOVEA_HD inline double rsqrt(double x) { return 1 / std::sqrt(x); }

#ifdef __CUDA_ARCH__

FOVEA_HD inline float exp(float x) { return ::expf(x); }
FOVEA_HD inline float expm1(float x) { return ::expm1f(x); }
FOVEA_HD inline float log(float x) { return ::logf(x); }
FOVEA_HD inline float log1p(float x) { return ::log1pf(x); }
FOVEA_HD inline float tanh(float x) { return ::tanhf(x); }
FOVEA_HD inline float sigmoid(float x) { return 1 / (1 + ::expf(-x)); }
FOVEA_HD inline float softplus(float x) { return (x > 0 ? x : 0) + ::log1pf(::expf(-::fabsf(x))); }
FOVEA_HD inline float erf(float x) { return ::erff(x); }
FOVEA_HD inline float sin(float x) { return ::sinf(x); }
FOVEA_HD inline float cos(float x) { return ::cosf(x); }
FOVEA_HD inline float pow(float x, float y) { return ::powf(x, y); }
FOVEA_HD inline float rsqrt(float x) { return ::rsqrtf(x); }

#else

// Every polynomial below is a minimax fit: least squares on 600 Chebyshev nodes, reweighted (Lawson) until
// the relative error of the *function* is level, with the coefficients rounded to float one by one from the
// lowest and the rest fitted again after each. The comment beside it gives interval and error before rounding
// noise.
namespace detail {

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kLn2Hi = 0x1.62e4p-1f;     // 15 bits, so that a product with an exponent is exact
inline constexpr float kLn2Lo = 0x1.7f7d1cp-20f;  // ln 2 - kLn2Hi
inline constexpr float kRound = 0x1.8p23f;        // x + kRound has no bits left for a fraction of x
inline constexpr double kRoundDouble = 0x1.8p52;  // the same for double
inline constexpr float kMinNormal = std::numeric_limits<float>::min();

// Integers are unsigned because they wrap around where x is out of range and the result will be replaced.
inline std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }
inline float from_bits(std::uint32_t x) { return std::bit_cast<float>(x); }
inline std::uint32_t sign_of(float x) { return bits(x) & 0x80000000u; }
inline float flip(float x, std::uint32_t sign) { return from_bits(bits(x) ^ sign); }

// 2^k for -126 <= k <= 127.
inline float pow2(std::uint32_t k) { return from_bits((k + 127) << 23); }

// p 2^k for -150 <= k <= 128, where 2^k alone may not be a number: overflows to inf, rounds to denormals.
inline float scale(float p, std::uint32_t k) {
  const auto half = static_cast<std::uint32_t>(static_cast<std::int32_t>(k) >> 1);
  return p * pow2(half) * pow2(k - half);
}

// e^r - 1 on |r| <= ln(2) / 2: 1.4e-8.
inline float expm1_poly(float r) {
  const float q =
      0.49999997f + r * (0.166665465f + r * (0.0416674353f + r * (0.00836627185f + r * 0.00138706958f)));
  return r + r * r * q;
}

// x = k ln(2) + r with |r| <= ln(2) / 2, for |x| < 150 (Cody and Waite: ln(2) in two parts).
struct Exponent {
  std::uint32_t k;
  float r;
};
inline Exponent split(float x) {
  const float t = x * std::numbers::log2e_v<float> + kRound;
  const float k = t - kRound;
  return {bits(t) - bits(kRound), x - k * kLn2Hi - k * kLn2Lo};
}

// log(1 + f) + k ln(2) for sqrt(1/2) <= 1 + f <= sqrt(2): 5.8e-9.
inline float log_poly(float f, float k) {
  const float p =
      0.333333313f +
      f * (-0.250008196f +
           f * (0.200012416f +
                f * (-0.166234091f +
                     f * (0.142015815f + f * (-0.131596133f + f * (0.127621993f + f * -0.0763639957f))))));
  return k * kLn2Hi + (f + (f * f * (f * p - 0.5f) + k * kLn2Lo));
}

// x = 2^k m with sqrt(1/2) <= m < sqrt(2), for positive, finite and normal x.
struct Mantissa {
  std::int32_t k;
  float m;
};
inline Mantissa unscale(float x) {
  const std::int32_t k = static_cast<std::int32_t>(bits(x) - bits(0.70710678f)) >> 23;
  return {k, from_bits(bits(x) - (static_cast<std::uint32_t>(k) << 23))};
}

inline bool is_integer(float x) {
  const float a = abs(x);
  return (a >= 0x1p23f) | ((a + 0x1p23f) - 0x1p23f == a);
}

// The values of a logarithm y = log(x) that arithmetic does not give.
inline float log_limits(float x, float y) {
  const float finite = x < kInf ? y : x;
  return x > 0 ? finite : x == 0 ? -kInf : x < 0 ? kNan : x;
}

}  // namespace detail

/// e^x within 1.5 ulp, denormal results included; exactly 0 below -104 and inf above 88.73.
FOVEA_HD inline float exp(float x) {
  const auto [k, r] = detail::split(x);
  float y = detail::scale(1 + detail::expm1_poly(r), k);
  y = x < -104 ? 0 : y;
  return x > 88.73f ? detail::kInf : y;
}

/// e^x - 1 within 2 ulp, also near 0; keeps -0; -1 below -17.4 and inf above 88.73.
FOVEA_HD inline float expm1(float x) {
  const auto [k, r] = detail::split(x);
  const float half = detail::pow2(k - 1);  // 2^k itself overflows where e^x just does not
  float y = 2 * (detail::expm1_poly(r) * half + (half - 0.5f));
  y = x < -17.4f ? -1 : y;
  y = x > 88.73f ? detail::kInf : y;
  return abs(x) < 1e-8f ? x : y;
}

/// ln(x) within 1 ulp, denormals included; -inf at 0, NaN below.
FOVEA_HD inline float log(float x) {
  const bool denormal = x < detail::kMinNormal;
  const auto [k, m] = detail::unscale(denormal ? x * 0x1p24f : x);
  return detail::log_limits(x, detail::log_poly(m - 1, static_cast<float>(denormal ? k - 24 : k)));
}

/// ln(1 + x) within 2 ulp, also near 0; keeps -0; -inf at -1, NaN below.
FOVEA_HD inline float log1p(float x) {
  const float u = 1 + x;
  const std::int32_t k = detail::unscale(u).k;
  const float inverse = detail::pow2(static_cast<std::uint32_t>(2 - k));  // 4 / 2^k: 2^-k may be denormal
  const float f = (0.25f * x) * inverse + (0.25f * inverse - 1);  // just x for k = 0: no digit is lost
  const float y = detail::log_limits(u, detail::log_poly(f, static_cast<float>(k)));
  return abs(x) < 1e-8f ? x : y;
}

/// tanh(x) within 3 ulp, odd to the bit, keeps -0; exactly +-1 beyond 9.02.
FOVEA_HD inline float tanh(float x) {
  const float a = abs(x);
  const auto [k, r] = detail::split(2 * a);
  const float s = detail::pow2(k);
  const float m = detail::expm1_poly(r) * s + (s - 1);  // e^2a - 1: no digits cancel near 0
  return detail::flip(a > 9.02f ? 1 : m / (m + 2), detail::sign_of(x));
}

/// 1 / (1 + e^-x) within 3 ulp; exactly 1 above 17.4 and 0 below -87.9.
FOVEA_HD inline float sigmoid(float x) {
  const auto [k, r] = detail::split(-x);
  float y = 1 / (1 + (1 + detail::expm1_poly(r)) * detail::pow2(k));
  y = x < -87.9f ? 0 : y;
  return x > 18 ? 1 : y;
}

/// ln(1 + e^x) within 2 ulp; x itself for large x, e^x for small, 0 below -87.6.
FOVEA_HD inline float softplus(float x) {
  const float a = abs(x);
  const auto [k, r] = detail::split(-a);
  const float z = a > 87.6f ? 0 : (1 + detail::expm1_poly(r)) * detail::pow2(k);
  const bool upper = z > 0.41421356f;  // log1p with its only two exponents, 0 and 1
  return (x > 0 ? x : 0) + detail::log_poly(upper ? 0.5f * z - 0.5f : z, upper ? 1.0f : 0.0f);
}

/// erf(x) within 2.5 ulp, odd to the bit, keeps -0; exactly +-1 beyond 3.95.
FOVEA_HD inline float erf(float x) {
  // erf(a) = 1 - e^-g(a), where g(a) / a - 1 is smooth: 4.3e-9 on [0, 3.95].
  const float a = abs(x);
  const float h =
      0.128379166f +
      a * (0.636619568f +
           a * (0.102776304f +
                a * (-0.0191478226f +
                     a * (-0.000169504696f +
                          a * (0.0016756776f +
                               a * (-0.000637364574f + a * (0.000118861833f + a * -9.38805715e-06f)))))));
  const auto [k, r] = detail::split(-(a + a * h));
  const float s = detail::pow2(k);
  const float y = (1 - s) - detail::expm1_poly(r) * s;
  return detail::flip(a > 3.95f ? 1 : y, detail::sign_of(x));
}

namespace detail {

// sin(|x| + quadrant pi / 2) with its sign flipped by `sign`. Reduced in double: exact to |x| = 1e6, then
// slowly losing digits until only the range [-1, 1] is kept. Polynomials on |r| <= pi / 4: 4e-9 and 1.2e-10.
inline float quarter_waves(float x, std::uint64_t quadrant, std::uint32_t sign) {
  const double a = abs(x);
  const double t = a * (2 * std::numbers::inv_pi) + kRoundDouble;
  const double n = t - kRoundDouble;
  // pi / 2 in 33 + 53 bits.
  const float r = static_cast<float>((a - n * 0x1.921fb544p0) - n * 0x1.0b4611a626331p-34);
  const auto q = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(t) + quadrant);
  const float s = r * r;
  const float sine = r + r * s * (-0.166666552f + s * (0.00833218824f + s * -0.000195180997f));
  const float cosine = 1 + s * (-0.5f + s * (0.0416666456f + s * (-0.00138873106f + s * 2.44325529e-05f)));
  const float y = (q & 1) != 0 ? cosine : sine;
  return flip(y > 1 ? 1 : y < -1 ? -1 : y, sign ^ ((q & 2) << 30));
}

}  // namespace detail

/// sin(x) within 2 ulp for |x| <= 1e6, keeps -0; always in [-1, 1], meaningless beyond 1e9; NaN at +-inf.
FOVEA_HD inline float sin(float x) { return detail::quarter_waves(x, 0, detail::sign_of(x)); }

/// cos(x) within 2 ulp for |x| <= 1e6; always in [-1, 1], meaningless beyond 1e9; NaN at +-inf.
FOVEA_HD inline float cos(float x) { return detail::quarter_waves(x, 1, 0); }

/// x^y within 1.5 ulp, denormal results included, with C's special values: x^0 = 1^y = 1 even for NaN,
/// negative x needs an integer y, 0 to a negative power is inf. Inlined by order: Clang finds it too long to.
[[gnu::always_inline]] FOVEA_HD inline float pow(float x, float y) {
  const float a = abs(x);
  const bool denormal = a < detail::kMinNormal;
  const auto [k, m] = detail::unscale(denormal ? a * 0x1p24f : a);
  // log2(a) in double, because y multiplies its error: 5e-12 by a polynomial in s = tanh(ln(m) / 2).
  const double s = (static_cast<double>(m) - 1) / (static_cast<double>(m) + 1);
  const double q = s * s;
  const double p = 2.885390081777927 +
                   q * (0.961796679239 + q * (0.577082842659 + q * (0.411706890056 + q * 0.34020872032)));
  const double normal = static_cast<double>(denormal ? k - 24 : k) + s * p;
  const double z = y * (a == 0 ? -detail::kInf : a < detail::kInf ? normal : a);
  const double t = z + detail::kRoundDouble;
  const float r = static_cast<float>((z - (t - detail::kRoundDouble)) * std::numbers::ln2);
  const auto n = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(t));
  float power = detail::scale(1 + detail::expm1_poly(r), n);
  const float exponent = static_cast<float>(z);  // GCC 12 mixes no masks of float and double width
  power = exponent < -151 ? 0 : power;
  power = exponent > 129 ? detail::kInf : power;

  const bool integer = detail::is_integer(y);
  const bool odd = integer & !detail::is_integer(0.5f * y);
  power = detail::flip(power, odd ? detail::sign_of(x) : 0);
  const bool undefined = (x < 0) & (a < detail::kInf) & !integer;
  power = undefined ? detail::kNan : power;
  const bool one = (x == 1) | (y == 0) | ((a == 1) & (abs(y) == detail::kInf));
  return one ? 1 : power;
}

/// 1 / sqrt(x) within 1.5 ulp; +-inf at +-0, NaN below.
FOVEA_HD inline float rsqrt(float x) { return 1 / std::sqrt(x); }

#endif  // __CUDA_ARCH__

}  // namespace fovea::math

#endif  // FOVEA_KERNELS_SCALAR_MATH_H_
