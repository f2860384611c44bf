#include "fovea/core/stored.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace fovea {

static_assert(std::endian::native == std::endian::little, "files are read as little-endian memory");

namespace {

/// Calls f(i, element) for every element.
template <class T, class F>
void each_element(std::span<const std::byte> bytes, bool swap, F&& f) {
  for (std::size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
    std::byte element[sizeof(T)];
    std::memcpy(element, bytes.data() + i * sizeof(T), sizeof(T));
    if (swap) std::reverse(element, element + sizeof(T));
    f(i, std::bit_cast<T>(element));
  }
}

}  // namespace

std::size_t size_of(Stored type) {
  constexpr std::size_t sizes[] = {4, 8, 2, 4, 1, 2, 8, 1};
  return sizes[static_cast<int>(type)];
}

DType dtype_of_stored(Stored type) {
  constexpr DType types[] = {DType::f32, DType::f64, DType::bf16, DType::i32,
                             DType::u8,  DType::f32, DType::i32,  DType::u8};
  return types[static_cast<int>(type)];
}

float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t exponent = half >> 10 & 31, fraction = half & 0x3ff;
  if (exponent == 0) {  // zero or subnormal: a count of 2^-24, which a float holds exactly
    const float value = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 127 - 15;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

void check_booleans(std::span<const std::byte> bytes, const ByteReader& in, std::uint64_t offset) {
  const auto bad = std::find_if(bytes.begin(), bytes.end(), [](std::byte b) { return b > std::byte{1}; });
  if (bad == bytes.end()) return;
  const auto i = static_cast<std::uint64_t>(bad - bytes.begin());
  in.fail_at(offset + i, cat("element ", i), std::to_integer<int>(*bad), " is not a boolean");
}

Tensor decode(Stored type, bool swap, const Shape& shape, std::span<const std::byte> bytes,
              const ByteReader& in, std::uint64_t offset) {
  in.require_at(bytes.size() == static_cast<std::size_t>(shape.numel()) * size_of(type), offset, "elements",
                bytes.size(), " bytes do not fill shape ", shape);
  Tensor out = Tensor::empty(shape, dtype_of_stored(type));
  if (bytes.empty()) return out;
  if (type == Stored::boolean) check_booleans(bytes, in, offset);
  if (type == Stored::f16) {
    auto* to = static_cast<float*>(out.raw_mutable());
    each_element<std::uint16_t>(bytes, swap, [&](std::size_t i, auto x) { to[i] = half_to_float(x); });
  } else if (type == Stored::i64) {
    auto* to = static_cast<std::int32_t*>(out.raw_mutable());
    using Limits = std::numeric_limits<std::int32_t>;
    each_element<std::int64_t>(bytes, swap, [&](std::size_t i, std::int64_t x) {
      if (x < Limits::min() || x > Limits::max()) [[unlikely]]
        in.fail_at(offset + i * sizeof x, cat("element ", i), x, " does not fit in i32");
      to[i] = static_cast<std::int32_t>(x);
    });
  } else if (swap && size_of(type) > 1) {
    visit_any(out.dtype(), [&]<class T>() {
      auto* to = static_cast<T*>(out.raw_mutable());
      each_element<T>(bytes, true, [&](std::size_t i, T x) { to[i] = x; });
    });
  } else {
    std::memcpy(out.raw_mutable(), bytes.data(), bytes.size());
  }
  return out;
}

}  // namespace fovea
