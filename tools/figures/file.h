#ifndef FOVEA_TOOLS_FIGURES_FILE_H_
#define FOVEA_TOOLS_FIGURES_FILE_H_

#include <filesystem>
#include <string>
#include <string_view>

namespace fovea::tools {

/// The bytes of a file. Throws std::runtime_error naming the file.
std::string read_file(const std::filesystem::path& file);

/// Writes `bytes` under a temporary name beside `file`, then renames, so that a reader sees the old file or
/// the whole new one. Throws std::runtime_error naming the file, and leaves no temporary file behind.
void write_file(const std::filesystem::path& file, std::string_view bytes);

/// Throws std::runtime_error: "cannot <action> <file>: <text of error number>".
[[noreturn]] void throw_file_error(std::string_view action, const std::filesystem::path& file, int error);

}  // namespace fovea::tools

#endif
