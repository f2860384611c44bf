#ifndef FOVEA_TOOLS_REPORT_CSV_LOG_H_
#define FOVEA_TOOLS_REPORT_CSV_LOG_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/report/append_file.h"

namespace fovea::tools {

/// `metrics.csv`: a header, then one row for each logged step. Each row is on disk before append() returns,
/// so that an interrupted run keeps all it logged. Errors, such as a full disk, are std::runtime_error naming
/// the file.
class CsvLog {
 public:
  /// Starts a new file with the columns "step" and `columns`, replacing an old one.
  CsvLog(std::filesystem::path file, std::vector<std::string> columns);

  /// Goes on with an old file after a resume from step `resumed_at`: rows of later steps, and a last row that
  /// was cut off, are dropped. Starts a new file where there is none; throws where the old one has other
  /// columns.
  CsvLog(std::filesystem::path file, std::vector<std::string> columns, std::int64_t resumed_at);

  /// Adds a row: one value for each column but "step". std::nullopt leaves a cell empty; NaN is written as
  /// nan.
  void append(std::int64_t step, const std::vector<std::optional<double>>& values);

 private:
  std::string header() const;

  std::filesystem::path path_;
  std::vector<std::string> columns_;
  AppendFile file_;
};

}  // namespace fovea::tools

#endif
