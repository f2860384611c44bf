#ifndef FOVEA_CORE_STORED_H_
#define FOVEA_CORE_STORED_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "fovea/core/byte_reader.h"
#include "fovea/core/tensor.h"

/// Element types as files store them, and how they become tensors.

namespace fovea {

/// The first five are DTypes of the same name. f16 is read as f32, i64 as i32, boolean as u8.
enum class Stored : std::uint8_t { f32, f64, bf16, i32, u8, f16, i64, boolean };

/// Bytes per stored element.
std::size_t size_of(Stored type);

/// The type it is read as.
DType dtype_of_stored(Stored type);

/// A tensor with a copy of `bytes`, which must have as many elements as `shape`. `swap` turns the bytes of
/// every element round. Throws, naming the element and its offset in the file (that of `bytes` is `offset`),
/// when an i64 does not fit in i32 or a boolean is neither 0 nor 1.
Tensor decode(Stored type, bool swap, const Shape& shape, std::span<const std::byte> bytes,
              const ByteReader& in, std::uint64_t offset);

/// The check on booleans alone.
void check_booleans(std::span<const std::byte> bytes, const ByteReader& in, std::uint64_t offset);

/// The float of the same value as an IEEE half. Exact.
float half_to_float(std::uint16_t half);

}  // namespace fovea

#endif  // FOVEA_CORE_STORED_H_
