#include "tools/report/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "tools/figures/file.h"

namespace fovea::tools {

AppendFile::AppendFile(std::filesystem::path file) : path_(std::move(file)) {
  open(0);
  if (descriptor_ < 0) throw_file_error("write", path_, errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0) size_ = status.st_size;
}

AppendFile AppendFile::make_new(std::filesystem::path file) {
  AppendFile made;
  made.path_ = std::move(file);
  made.open(O_EXCL);
  if (!made && errno != EEXIST) throw_file_error("write", made.path_, errno);
  return made;
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

void AppendFile::append(std::string_view entry) {
  std::string_view rest = entry;
  while (!rest.empty()) {
    const ssize_t n = ::write(descriptor_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      if (rest.size() < entry.size() && ::ftruncate(descriptor_, size_) != 0) {
        throw_file_error("write, and cannot take back a part of an entry in", path_, error);
      }
      throw_file_error("write", path_, error);
    }
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  size_ += static_cast<std::int64_t>(entry.size());
}

void AppendFile::open(int flags) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | flags, 0666);
}

}  // namespace fovea::tools
