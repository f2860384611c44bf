#include "tools/figures/file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace fovea::tools {
namespace {

struct CloseFile {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using FilePointer = std::unique_ptr<std::FILE, CloseFile>;

}  // namespace

void throw_file_error(std::string_view action, const std::filesystem::path& file, int error) {
  std::string message = "cannot ";
  message.append(action).append(" ").append(file.string());
  if (error != 0) message.append(": ").append(std::generic_category().message(error));
  throw std::runtime_error(message);
}

std::string read_file(const std::filesystem::path& file) {
  const FilePointer in(std::fopen(file.c_str(), "rb"));
  if (!in) throw_file_error("read", file, errno);
  std::string bytes;
  char block[1 << 16];
  while (const std::size_t n = std::fread(block, 1, sizeof block, in.get())) bytes.append(block, n);
  if (std::ferror(in.get())) throw_file_error("read", file, errno);
  return bytes;
}

void write_file(const std::filesystem::path& file, std::string_view bytes) {
  std::filesystem::path part = file;
  part += "." + std::to_string(::getpid()) + ".part";
  FilePointer out(std::fopen(part.c_str(), "wb"));
  if (!out) throw_file_error("write", file, errno);
  bool good = std::fwrite(bytes.data(), 1, bytes.size(), out.get()) == bytes.size();
  int error = errno;
  if (std::fclose(out.release()) != 0) {  // also reports what the last flush could not write
    if (good) error = errno;
    good = false;
  }
  if (good) {
    std::error_code renamed;
    std::filesystem::rename(part, file, renamed);
    if (!renamed) return;
    error = renamed.value();
  }
  std::remove(part.c_str());
  throw_file_error("write", file, error);
}

}  // namespace fovea::tools
