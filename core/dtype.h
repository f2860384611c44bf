#ifndef FOVEA_CORE_DTYPE_H_
#define FOVEA_CORE_DTYPE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <type_traits>

#include "fovea/core/error.h"

namespace fovea {

/// Element types. f32 and f64 take part in arithmetic; bf16 is storage for CUDA training; i32 holds
/// indices, u8 holds images and boolean masks (0 or 1).
enum class DType : std::uint8_t { f32, f64, bf16, i32, u8 };

/// The upper half of an IEEE float: 8 bits of exponent, 7 of fraction. Rounds to nearest even.
struct bf16 {
  std::uint16_t bits = 0;
  bf16() = default;
  constexpr explicit bf16(float x) {
    const auto u = std::bit_cast<std::uint32_t>(x);
    const bool nan = (u & 0x7fffffffu) > 0x7f800000u;
    bits = static_cast<std::uint16_t>(nan ? (u >> 16 | 0x40u) : (u + 0x7fffu + (u >> 16 & 1u)) >> 16);
  }
  constexpr explicit operator float() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
  constexpr explicit operator double() const { return static_cast<float>(*this); }
};

/// Bytes per element.
constexpr std::size_t size_of(DType d) {
  constexpr std::size_t sizes[] = {4, 8, 2, 4, 1};
  return sizes[static_cast<int>(d)];
}

/// "f32", "f64", "bf16", "i32" or "u8".
constexpr const char* name_of(DType d) {
  constexpr const char* names[] = {"f32", "f64", "bf16", "i32", "u8"};
  return names[static_cast<int>(d)];
}

inline std::ostream& operator<<(std::ostream& out, DType d) { return out << name_of(d); }

/// True for the types that can carry gradients: f32, f64, bf16.
constexpr bool is_float(DType d) { return d <= DType::bf16; }

namespace detail {
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> : std::integral_constant<DType, DType::f32> {};
template <>
struct DTypeOf<double> : std::integral_constant<DType, DType::f64> {};
template <>
struct DTypeOf<bf16> : std::integral_constant<DType, DType::bf16> {};
template <>
struct DTypeOf<std::int32_t> : std::integral_constant<DType, DType::i32> {};
template <>
struct DTypeOf<std::uint8_t> : std::integral_constant<DType, DType::u8> {};
}  // namespace detail

/// The DType of a C++ element type: dtype_of<float> == DType::f32.
template <class T>
inline constexpr DType dtype_of = detail::DTypeOf<std::remove_cv_t<T>>::value;

/// Calls f.template operator()<T>() with T = float or double. Throws for any other dtype, naming `op`.
template <class F>
decltype(auto) visit_float(const char* op, DType d, F&& f) {
  if (d == DType::f32) return f.template operator()<float>();
  require(d == DType::f64, op, "takes f32 or f64, not ", d);
  return f.template operator()<double>();
}

/// Calls f.template operator()<T>() with the element type of d, whatever it is.
template <class F>
decltype(auto) visit_any(DType d, F&& f) {
  switch (d) {
    case DType::f32:
      return f.template operator()<float>();
    case DType::f64:
      return f.template operator()<double>();
    case DType::bf16:
      return f.template operator()<bf16>();
    case DType::i32:
      return f.template operator()<std::int32_t>();
    default:
      return f.template operator()<std::uint8_t>();
  }
}

}  // namespace fovea

#endif  // FOVEA_CORE_DTYPE_H_
