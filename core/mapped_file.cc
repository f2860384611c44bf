#include "fovea/core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "fovea/core/error.h"

namespace fovea {

MappedFile::MappedFile(const std::filesystem::path& path, const char* op) : path_(path) {
  const auto check = [&](bool ok, const char* action) {
    if (!ok) fail(op, "cannot ", action, " ", path.string(), ": ", std::generic_category().message(errno));
  };
  struct File {
    int descriptor;
    ~File() {
      if (descriptor >= 0) ::close(descriptor);
    }
  };
  // Not blocking: else opening a named pipe waits for a writer.
  const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  check(file.descriptor >= 0, "open");
  struct stat status {};
  check(::fstat(file.descriptor, &status) == 0, "look at");
  require(!S_ISDIR(status.st_mode), op, "cannot read ", path.string(), ": it is a directory");
  require(S_ISREG(status.st_mode), op, "cannot read ", path.string(), ": it is not a regular file");
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;
  void* data =
      ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file.descriptor, 0);
  check(data != MAP_FAILED, "map");
  data_ = static_cast<std::byte*>(data);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(data_, size_);
}

}  // namespace fovea
