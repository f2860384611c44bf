#ifndef FOVEA_CORE_BYTE_READER_H_
#define FOVEA_CORE_BYTE_READER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "fovea/core/error.h"
#include "fovea/core/shape.h"

/// Reading the bytes of a file that may be hostile: nothing is read past the end, and every error names the
/// file, the field and the offset: `[idx] digits.idx: size of dimension 1 at offset 8: file ends here`.

namespace fovea {

/// A position in the bytes of a file, which it does not own.
class ByteReader {
 public:
  /// `op` is the tag of its errors and must be a literal.
  ByteReader(const char* op, std::string file, std::span<const std::byte> bytes)
      : op_(op), file_(std::move(file)), bytes_(bytes) {}

  const char* op() const { return op_; }
  const std::string& file() const { return file_; }
  std::uint64_t size() const { return bytes_.size(); }
  std::uint64_t offset() const { return offset_; }
  std::uint64_t remaining() const { return bytes_.size() - offset_; }

  /// Goes to an absolute offset, at most size().
  void seek(std::uint64_t offset, std::string_view field);
  /// The next n bytes.
  std::span<const std::byte> take(std::uint64_t n, std::string_view field);
  /// The next number, unsigned, least significant byte first.
  template <class T>
  T little(std::string_view field) {
    const auto bytes = take(sizeof(T), field);
    T value = 0;
    for (std::size_t i = sizeof(T); i-- > 0;)
      value = static_cast<T>(std::uint64_t{value} << 8 | std::to_integer<T>(bytes[i]));
    return value;
  }
  /// The same, most significant byte first.
  template <class T>
  T big(std::string_view field) {
    const auto bytes = take(sizeof(T), field);
    T value = 0;
    for (std::byte b : bytes) value = static_cast<T>(std::uint64_t{value} << 8 | std::to_integer<T>(b));
    return value;
  }

  /// Throws Error: what is wrong with `field`, which lies at `offset`.
  template <class... Parts>
  [[noreturn]] void fail_at(std::uint64_t offset, std::string_view field, const Parts&... parts) const {
    fovea::fail(op_, file_, ": ", field, " at offset ", offset, ": ", parts...);
  }
  template <class... Parts>
  void require_at(bool ok, std::uint64_t offset, std::string_view field, const Parts&... parts) const {
    if (!ok) [[unlikely]]
      fail_at(offset, field, parts...);
  }

 private:
  const char* op_;
  std::string file_;
  std::span<const std::byte> bytes_;
  std::uint64_t offset_ = 0;
};

/// A string from a file, fit for a message: quoted, shortened, control characters replaced.
std::string in_quotes(std::string_view text);

/// The product of sizes read from a file. Throws, naming the field at `offset`, when it cannot be counted;
/// sizes beside a zero are multiplied too, so that no later product overflows.
std::uint64_t checked_count(std::span<const std::uint64_t> sizes, const ByteReader& in, std::uint64_t offset,
                            std::string_view field);

/// The same sizes as a Shape, after the same checks. Throws when there are more than max_rank.
Shape checked_shape(std::span<const std::uint64_t> sizes, const ByteReader& in, std::uint64_t offset,
                    std::string_view field);

}  // namespace fovea

#endif  // FOVEA_CORE_BYTE_READER_H_
