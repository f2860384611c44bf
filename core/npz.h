#ifndef FOVEA_CORE_NPZ_H_
#define FOVEA_CORE_NPZ_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/byte_reader.h"
#include "fovea/core/mapped_file.h"
#include "fovea/core/named_tensor.h"

/// NumPy's file of several arrays: a zip archive of .npy files, as np.savez and np.savez_compressed write it.

namespace fovea {

/// A .npz file open for reading. Members may be stored or deflated, and the archive ZIP64. Every error is
/// Error and names file, field and offset.
class NpzFile {
 public:
  /// Maps the file and reads its directory. Members whose names do not end in .npy are passed over.
  explicit NpzFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_->path(); }
  /// The arrays' names (without .npy), sorted.
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const { return members_.find(name) != members_.end(); }

  /// Reads an array, with the types and conversions of load_npy; checks its check sum. An array takes no more
  /// memory than its header asks for and its compressed bytes can fill.
  Tensor get(std::string_view name) const;

 private:
  struct Member {
    std::uint64_t offset = 0;  // of its local header
    std::uint64_t compressed = 0, size = 0;
    std::uint32_t crc = 0;
    bool deflated = false;
  };
  ByteReader reader(std::string_view member) const;
  void read_directory(ByteReader& in);
  void read_entry(ByteReader& in);

  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, Member, std::less<>> members_;
  std::uint64_t directory_ = 0;  // where the members end
};

/// Writes CPU tensors under distinct names, uncompressed, replacing the file atomically; ZIP64 where sizes
/// ask for it. The same tensors make the same bytes. bf16 is written as f4.
void save_npz(const std::filesystem::path& path, std::span<const NamedTensor> tensors);
inline void save_npz(const std::filesystem::path& path, std::initializer_list<NamedTensor> tensors) {
  save_npz(path, std::span(tensors.begin(), tensors.size()));
}

}  // namespace fovea

#endif  // FOVEA_CORE_NPZ_H_
