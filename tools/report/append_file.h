#ifndef FOVEA_TOOLS_REPORT_APPEND_FILE_H_
#define FOVEA_TOOLS_REPORT_APPEND_FILE_H_

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace fovea::tools {

/// A file that grows by whole entries: each is handed to the system before append() returns, and one that
/// cannot be written whole (a full disk) leaves the file as it was. Errors are std::runtime_error naming the
/// file.
class AppendFile {
 public:
  /// No file.
  AppendFile() = default;
  /// Opens a file, made if missing, to add at its end.
  explicit AppendFile(std::filesystem::path file);
  /// Makes a new file; an object that is not open (see operator bool) where the file exists already.
  static AppendFile make_new(std::filesystem::path file);

  ~AppendFile();
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;

  /// Adds one entry.
  void append(std::string_view entry);
  /// Whether a file is open.
  explicit operator bool() const { return descriptor_ >= 0; }
  const std::filesystem::path& path() const { return path_; }

 private:
  void open(int flags);

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

}  // namespace fovea::tools

#endif
