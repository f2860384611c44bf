#ifndef FOVEA_CORE_MAPPED_FILE_H_
#define FOVEA_CORE_MAPPED_FILE_H_

#include <cstddef>
#include <filesystem>
#include <span>

namespace fovea {

/// The bytes of a file, mapped into memory: pages are read when they are touched.
///
/// The mapping is private: writing to it changes neither the file nor another mapping. Replacing the file by
/// renaming another over it (as AtomicFile does) leaves the mapping as it was; a program that shortens the
/// file in place takes the pages away, and touching them then ends this one.
class MappedFile {
 public:
  /// Throws Error tagged `op` when there is no such file, when it cannot be read or is no regular file.
  explicit MappedFile(const std::filesystem::path& path, const char* op = "file");
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// The start, page-aligned; null for an empty file.
  std::byte* data() const { return data_; }

 private:
  std::filesystem::path path_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace fovea

#endif  // FOVEA_CORE_MAPPED_FILE_H_
