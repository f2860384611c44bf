#ifndef FOVEA_TOOLS_REPORT_REPORT_H_
#define FOVEA_TOOLS_REPORT_REPORT_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fovea::tools {

/// `report.html`: one page that holds everything it shows, so that it opens from a disk, with no server and
/// no network. Parts appear in the order of the calls.
class Report {
 public:
  explicit Report(std::string title);

  /// A heading.
  void section(std::string_view heading);
  /// A table of names and values, such as the configuration or the metrics.
  void table(const std::vector<std::pair<std::string, std::string>>& rows);
  /// A picture, given as the bytes of a PNG, GIF or SVG file. Throws std::invalid_argument where they are
  /// none of them.
  void figure(std::string_view bytes, std::string_view caption);
  /// A picture from a file. Throws std::runtime_error naming the file.
  void figure_file(const std::filesystem::path& file, std::string_view caption);

  /// The page.
  std::string html() const;
  /// Writes the page under a temporary name, then renames. Throws std::runtime_error naming the file.
  void save(const std::filesystem::path& file) const;

 private:
  std::string title_, body_;
};

/// Base64 of `bytes` (RFC 4648, padded).
std::string base64(std::string_view bytes);

}  // namespace fovea::tools

#endif
