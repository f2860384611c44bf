#include "fovea/core/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "fovea/core/error.h"

namespace fovea {

AtomicFile::AtomicFile(const std::filesystem::path& path, const char* op) : op_(op), path_(path) {
  struct stat old {};
  const bool exists = ::stat(path.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) fail_write(EISDIR);
  if (exists && !S_ISREG(old.st_mode)) {
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor_ < 0) fail_write(errno);
    return;
  }
  open_temporary();
  if (exists) std::ignore = ::fchmod(descriptor_, old.st_mode & 0777);
}

void AtomicFile::open_temporary() {
  static std::atomic<unsigned> counter{0};
  do {
    temporary_ = path_;
    temporary_ += cat(".", ::getpid(), "-", counter++, ".part");
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) {
    temporary_.clear();
    fail_write(errno);
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail_write(int error) const {
  fail(op_, "cannot write ", path_.string(), ": ", std::generic_category().message(error));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  require(descriptor_ >= 0, op_, path_.string(), " is already complete");
  while (!bytes.empty()) {
    constexpr std::size_t most = std::size_t{1} << 30;  // Linux takes at most 2 GiB a call
    const ssize_t written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), most));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_write(errno);
    size_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::overwrite(std::uint64_t offset, std::span<const std::byte> bytes) {
  require(descriptor_ >= 0, op_, path_.string(), " is already complete");
  require(!temporary_.empty(), op_, path_.string(),
          " is a device or a pipe, where what is written cannot be changed; give the name of a file");
  require(offset <= size_ && bytes.size() <= size_ - offset, op_, "bytes ", offset, " to ",
          offset + bytes.size(), " of ", size_, " cannot be replaced");
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_write(errno);
    offset += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  require(descriptor_ >= 0, op_, path_.string(), " is already complete");
  const bool direct = temporary_.empty();
  // Devices and pipes cannot be flushed, and say so by EINVAL (Linux) or ENOTSUP (macOS).
  if (::fsync(descriptor_) != 0 && !(direct && (errno == EINVAL || errno == ENOTSUP))) fail_write(errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail_write(errno);
  if (direct) return;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_write(errno);
  temporary_.clear();
  // The new name is safe from a power cut only when the folder is flushed, too; not every file system can.
  const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) {
    std::ignore = ::fsync(descriptor);
    ::close(descriptor);
  }
}

void write_atomically(const std::filesystem::path& path, std::string_view content, const char* op) {
  AtomicFile file(path, op);
  file.write(content);
  file.commit();
}

}  // namespace fovea
