#ifndef FOVEA_TESTS_SCRATCH_H_
#define FOVEA_TESTS_SCRATCH_H_

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace fovea::tests {

/// A folder that is there, and empty, as long as this is.
class Scratch {
 public:
  explicit Scratch(const std::string& name)
      : path(std::filesystem::temp_directory_path() / ("fovea-" + name + "-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// Writes a file, and gives its path.
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << content;
    return path / name;
  }

  const std::filesystem::path path;
};

}  // namespace fovea::tests

#endif  // FOVEA_TESTS_SCRATCH_H_
