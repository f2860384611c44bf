#include "tools/report/csv_log.h"

#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "tools/figures/file.h"

namespace fovea::tools {
namespace {

// The shortest text that reads back as the same number, in every locale.
std::string number(double value) {
  if (std::isnan(value)) return "nan";  // without the sign that an invalid operation sets on x86
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  return {digits, end.ptr};
}

// The complete rows of a log up to step `last`, with their header.
std::string kept_rows(std::string_view text, const std::string& header, std::int64_t last,
                      const std::filesystem::path& path) {
  if (!text.starts_with(header)) {
    const std::string found(text.substr(0, text.find('\n')));
    throw std::runtime_error("cannot go on with " + path.string() + ": its columns are \"" + found +
                             "\", not \"" + header.substr(0, header.size() - 1) + "\"");
  }
  std::string kept = header;
  text.remove_prefix(header.size());
  for (int line = 2;; ++line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return kept;  // a row without its end was being written
    const std::string_view row = text.substr(0, end + 1);
    std::int64_t step = 0;
    const auto parsed = std::from_chars(row.data(), row.data() + row.size(), step);
    if (parsed.ec != std::errc{} || (*parsed.ptr != ',' && *parsed.ptr != '\n')) {
      throw std::runtime_error("cannot go on with " + path.string() + ": line " + std::to_string(line) +
                               " does not start with a step");
    }
    if (step <= last) kept += row;
    text.remove_prefix(row.size());
  }
}

}  // namespace

CsvLog::CsvLog(std::filesystem::path file, std::vector<std::string> columns)
    : path_(std::move(file)), columns_(std::move(columns)) {
  write_file(path_, header());
  file_ = AppendFile(path_);
}

CsvLog::CsvLog(std::filesystem::path file, std::vector<std::string> columns, std::int64_t resumed_at)
    : path_(std::move(file)), columns_(std::move(columns)) {
  const std::string start = header();
  std::string old;
  if (std::filesystem::exists(path_)) old = read_file(path_);
  write_file(path_, old.empty() ? start : kept_rows(old, start, resumed_at, path_));
  file_ = AppendFile(path_);
}

void CsvLog::append(std::int64_t step, const std::vector<std::optional<double>>& values) {
  if (values.size() != columns_.size()) {
    throw std::invalid_argument("cannot write " + path_.string() + ": " + std::to_string(values.size()) +
                                " values for " + std::to_string(columns_.size()) + " columns");
  }
  std::string row = std::to_string(step);
  for (const auto& value : values) {
    row += ',';
    if (value) row += number(*value);
  }
  row += '\n';
  file_.append(row);
}

std::string CsvLog::header() const {
  std::string line = "step";
  for (const auto& name : columns_) {
    if (name.empty() || name.find_first_of(",\"\r\n") != std::string::npos) {
      throw std::invalid_argument("cannot write " + path_.string() + ": \"" + name +
                                  "\" cannot name a column");
    }
    line += ',' + name;
  }
  return line + '\n';
}

}  // namespace fovea::tools
