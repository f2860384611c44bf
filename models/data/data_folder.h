#ifndef FOVEA_MODELS_DATA_DATA_FOLDER_H_
#define FOVEA_MODELS_DATA_DATA_FOLDER_H_

#include <filesystem>
#include <string>
#include <system_error>

#include "fovea/core/error.h"

namespace fovea {

/// One set in a data folder, and the way to it that its errors tell.
class DataFolder {
 public:
  DataFolder(const char* set, const std::filesystem::path& data_dir) : set_(set), data_dir_(data_dir) {}

  const char* set() const { return set_; }
  std::string remedy() const { return cat("tools/get-data ", set_, " --data-dir ", data_dir_.string()); }

  /// The file, or the same gzipped.
  std::filesystem::path find(const std::string& name) const {
    const std::filesystem::path plain = data_dir_ / set_ / name, packed = data_dir_ / set_ / (name + ".gz");
    std::error_code error;
    if (std::filesystem::exists(packed, error)) return packed;
    require(std::filesystem::exists(plain, error), set_, "there is no ", packed.string(),
            "; get it with: ", remedy());
    return plain;
  }

  template <class... Parts>
  void check(bool ok, const std::filesystem::path& path, const Parts&... parts) const {
    if (!ok) [[unlikely]]  // the remedy, too, is put together only then
      fail(set_, path.string(), ": ", parts..., "; get it anew with: ", remedy());
  }

  /// What read(path) gives; its errors get the remedy put behind.
  template <class Read>
  auto read(const std::filesystem::path& path, Read&& read) const {
    try {
      return read(path);
    } catch (const OutOfMemory&) {
      throw;
    } catch (const Error& e) {
      throw Error(cat(e.what(), "; get it anew with: ", remedy()));
    }
  }

 private:
  const char* set_;
  std::filesystem::path data_dir_;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_DATA_FOLDER_H_
