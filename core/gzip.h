#ifndef FOVEA_CORE_GZIP_H_
#define FOVEA_CORE_GZIP_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "fovea/core/byte_reader.h"

struct z_stream_s;

namespace fovea {

/// Inflates compressed bytes of a file piece by piece, so that a reader can look at a header before it makes
/// room for the rest. Throws Error, naming the file, on anything that is not intact.
class Inflater {
 public:
  enum class Format { deflate, gzip };

  /// What in.take(compressed) gives, from where `in` stands. The bytes must outlive this.
  Inflater(ByteReader& in, std::uint64_t compressed, Format format);
  ~Inflater();

  /// Fills `out`, or as much of it as there is; gives the number of bytes.
  std::size_t read(std::span<std::byte> out);
  /// Throws unless all has been read. For gzip this also checks the check sums.
  void expect_end();
  /// No more bytes than this can come out in all.
  std::uint64_t most() const { return most_; }

 private:
  [[noreturn]] void fail(const char* what) const;

  std::string file_;
  const char* op_;
  std::uint64_t offset_;           // of in_[0] in the file
  std::span<const std::byte> in_;  // what zlib has not taken yet
  std::uint64_t most_;
  Format format_;
  bool ended_ = false;
  std::unique_ptr<z_stream_s> stream_;
};

/// Whether bytes start as a gzip file does.
bool is_gzip(std::span<const std::byte> bytes);

/// A whole file as text, inflated when it is a gzip file. Throws Error, also when the result would be longer
/// than `most` bytes.
std::string read_text(const std::filesystem::path& path, std::uint64_t most = std::uint64_t{1} << 32,
                      const char* op = "read");

}  // namespace fovea

#endif  // FOVEA_CORE_GZIP_H_
