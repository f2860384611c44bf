#ifndef FOVEA_CORE_ATOMIC_FILE_H_
#define FOVEA_CORE_ATOMIC_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace fovea {

/// Writes a file so that at any moment, a crash or a full disk included, its name stands for the whole old
/// content or for the whole new one.
///
///     AtomicFile file("model.safetensors");
///     file.write(header);
///     file.write(values);
///     file.commit();
///
/// The bytes go to a temporary file in the same folder; commit() flushes them to the disk and renames it.
/// Without commit() the destructor removes the temporary file. Errors are Error, name the path and carry the
/// system's reason. A symbolic link is replaced, not followed. A name that stands for a device or a pipe
/// (/dev/stdout) is written straight to.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path, const char* op = "write");
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  /// Replaces bytes that are written already, from `offset` on. A device or a pipe cannot: it throws.
  void overwrite(std::uint64_t offset, std::span<const std::byte> bytes);
  /// How many bytes have been written.
  std::uint64_t size() const { return size_; }
  /// Puts the new file in the old one's place. Once, at the end.
  void commit();

 private:
  [[noreturn]] void fail_write(int error) const;
  void open_temporary();

  const char* op_;
  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty: nothing to rename or to remove
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

/// A whole file at once.
void write_atomically(const std::filesystem::path& path, std::string_view content, const char* op = "write");

}  // namespace fovea

#endif  // FOVEA_CORE_ATOMIC_FILE_H_
