#include "tools/run_folder.h"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "fovea/core/atomic_file.h"
#include "fovea/models/training/checkpoint.h"
#include "tools/figures/utf8.h"

namespace fovea::tools {

namespace fs = std::filesystem;

fs::path RunFolder::choose(const TrainOptions& options, const std::string& name) {
  if (!options.resume.empty()) return options.resume;
  if (!options.out_dir.empty()) {
    require(!has_checkpoint(options.out_dir / "checkpoint") && !fs::exists(options.out_dir / "summary.json"),
            "train", options.out_dir.string(), " already holds a run; go on with it by --resume ",
            options.out_dir.string(), ", or name another folder");
    return options.out_dir;
  }
  fs::path path = fs::path("runs") / name;
  for (int n = 2; fs::exists(path); ++n) path = fs::path("runs") / cat(name, "-", n);
  return path;
}

namespace {

CsvLog open_csv(const fs::path& path, const std::vector<std::string>& columns,
                std::optional<std::int64_t> resumed_at) {
  std::error_code error;
  fs::create_directories(path, error);
  require(!error, "train", "cannot make the folder ", path.string(), ": ", error.message());
  if (resumed_at) return CsvLog(path / "metrics.csv", columns, *resumed_at);
  return CsvLog(path / "metrics.csv", columns);
}

}  // namespace

RunFolder::RunFolder(fs::path path, std::vector<std::string> columns, std::optional<std::int64_t> resumed_at)
    : path_(std::move(path)),
      columns_(std::move(columns)),
      csv_(open_csv(path_, columns_, resumed_at)),
      events_(path_, resumed_at) {}

void RunFolder::log(std::int64_t step, const std::vector<std::optional<double>>& values) {
  csv_.append(step, values);
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (values[i]) events_.scalar(columns_[i], step, *values[i]);
  last_step_ = step;
}

void RunFolder::figure(const std::string& name, const Canvas& canvas, const std::string& caption) {
  const fs::path file = path_ / (name + ".png");
  const std::string png = canvas.png(2);
  write_atomically(file, png, "figure");
  events_.image(name, last_step_, png);
  show(file, caption);
}

void RunFolder::animation(const std::string& name, const std::string& gif, const std::string& caption) {
  const fs::path file = path_ / (name + ".gif");
  write_atomically(file, gif, "figure");
  show(file, caption);
}

void RunFolder::writing(const std::string& name, const std::string& all, const std::string& heading,
                        Texts examples) {
  write_atomically(path_ / (name + ".txt"), all, "train");
  writings_.emplace_back(heading, std::move(examples));
}

void RunFolder::show(const fs::path& file, const std::string& caption) {
  std::erase_if(figures_, [&](const auto& shown) { return shown.first == file; });
  figures_.emplace_back(file, caption);
}

namespace {

// For people: summary.json has all digits.
std::string shown(const Facts::Value& value) {
  if (const auto* x = std::get_if<double>(&value)) {
    char text[32];
    std::snprintf(text, sizeof text, std::abs(*x) < 1000 ? "%.4g" : "%.0f", *x);
    return text;
  }
  if (const auto* yes = std::get_if<bool>(&value)) return *yes ? "true" : "false";
  return std::visit([](const auto& v) { return cat(v); }, value);
}

RunFolder::Texts rows_of(const Facts& facts) {
  RunFolder::Texts rows;
  constexpr std::size_t most = 300;  // characters: a setting may be a whole vocabulary
  for (const auto& [name, value] : facts) {
    const std::string text = shown(value);
    const std::string_view begin = utf8_prefix(text, most);
    rows.emplace_back(name, begin.size() < text.size() ? std::string(begin) + " ..." : text);
  }
  return rows;
}

}  // namespace

void RunFolder::summary(const Facts& run, const Facts& metrics) {
  write_atomically(path_ / "summary.json", to_json(run, "metrics", metrics) + "\n", "summary");
}

void RunFolder::report(const std::string& title, const Facts& run, const Facts& metrics,
                       const Facts& settings) {
  Report page(title);
  page.section("Results");
  page.table(rows_of(metrics));
  for (const auto& [heading, examples] : writings_) {
    page.section(heading);
    page.table(examples);
  }
  for (const auto& [file, caption] : figures_) page.figure_file(file, caption);
  page.section("Run");
  page.table(rows_of(run));
  page.section("Settings");
  page.table(rows_of(settings));
  page.save(path_ / "report.html");
}

LoggedColumn read_column(const fs::path& folder, const std::string& column) {
  const fs::path path = folder / "metrics.csv";
  std::ifstream file(path);
  require(file.good(), "metrics", path.string(), " cannot be read");
  const auto cells = [](const std::string& line) {
    std::vector<std::string> out;
    std::istringstream in(line);
    for (std::string cell; std::getline(in, cell, ',');) out.push_back(cell);
    return out;
  };
  std::string line;
  std::getline(file, line);
  const auto header = cells(line);
  const auto at = static_cast<std::size_t>(std::find(header.begin(), header.end(), column) - header.begin());
  require(at < header.size(), "metrics", path.string(), " has no column ", column);
  LoggedColumn out;
  while (std::getline(file, line)) {
    const auto row = cells(line);
    if (at >= row.size() || row[at].empty()) continue;
    out.step.push_back(std::stod(row[0]));
    out.value.push_back(std::stod(row[at]));
  }
  return out;
}

}  // namespace fovea::tools
