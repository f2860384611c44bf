#ifndef FOVEA_CORE_NPY_H_
#define FOVEA_CORE_NPY_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "fovea/core/byte_reader.h"
#include "fovea/core/stored.h"
#include "fovea/core/tensor.h"

/// NumPy's file of one array: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
///
/// Reads versions 1 to 3, both byte orders and both memory orders: f4, f8, i4, u1; f2 becomes f32, i8 becomes
/// i32 (an element that does not fit throws) and b1 becomes u8. Every error is Error and names file, field
/// and offset.

namespace fovea {

/// The array in a file, as a row-major tensor.
Tensor load_npy(const std::filesystem::path& path);

/// Writes a CPU tensor in version 1.0, replacing the file atomically. NumPy has no bf16: it is written as f4.
void save_npy(const std::filesystem::path& path, const Tensor& t);

namespace detail {

/// The start of a .npy file, up to its elements.
struct NpyHeader {
  Stored type = Stored::f32;
  bool swap = false;           // big-endian
  bool fortran_order = false;  // the first dimension runs fastest
  Shape shape;
  std::uint64_t data_bytes = 0;
};

/// Bytes up to and including the length of the header, and the longest they can be.
inline constexpr std::uint64_t npy_preamble = 12;

/// Reads the header; leaves `in` at the elements.
NpyHeader read_npy_header(ByteReader& in);

/// Where the elements begin, from the first npy_preamble bytes alone.
std::uint64_t npy_data_offset(ByteReader in);

/// A whole .npy, which ends where `in` ends.
Tensor read_npy(ByteReader& in);

/// The header that save_npy writes for t.
std::string npy_header(const Tensor& t);

/// t row-major, as its elements are written: bf16 widened.
Tensor npy_elements(const char* op, const Tensor& t);

}  // namespace detail
}  // namespace fovea

#endif  // FOVEA_CORE_NPY_H_
