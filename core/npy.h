#ifndef FOVEA_CORE_NPY_H_
#define FOVEA_CORE_NPY_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "fovea/core/atomic_file.h"
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

/// Writes an array [N,...] of which the rows come a few at a time, N known only at the end. The old file is
/// replaced when commit() is called, and else stays.
class NpyRows {
 public:
  explicit NpyRows(const std::filesystem::path& path) : file_(path, "npy") {}

  /// Adds rows [n,...], of one type and shape but for n.
  void write(const Tensor& rows);
  /// Throws when no rows came, not even 0 of them: their type and shape are then unknown.
  void commit();

 private:
  AtomicFile file_;
  std::optional<Shape> shape_;  // N as it is so far
  DType dtype_ = DType::f32;
};

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

/// The header that save_npy writes.
std::string npy_header(DType dtype, const Shape& shape);

/// t row-major on the host, as its elements are written: bf16 widened.
Tensor npy_elements(const Tensor& t);

}  // namespace detail
}  // namespace fovea

#endif  // FOVEA_CORE_NPY_H_
