#ifndef FOVEA_TOOLS_RUN_FOLDER_H_
#define FOVEA_TOOLS_RUN_FOLDER_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/figures/canvas.h"
#include "tools/options.h"
#include "tools/report/csv_log.h"
#include "tools/report/facts.h"
#include "tools/report/report.h"
#include "tools/report/tensorboard.h"

namespace fovea::tools {

/// The folder of one training run: model.safetensors, checkpoint/, metrics.csv, TensorBoard's event file,
/// summary.json, figures, and a report.html that shows it all.
class RunFolder {
 public:
  /// A new run. With no --out-dir: runs/<name>, or runs/<name>-2 and so on when that is taken. Throws when
  /// --out-dir already holds a run, so that none is overwritten.
  static std::filesystem::path choose(const TrainOptions& options, const std::string& name);

  /// Opens the logs; `resumed_at` is the step that a resumed run goes on from.
  RunFolder(std::filesystem::path path, std::vector<std::string> columns,
            std::optional<std::int64_t> resumed_at);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path checkpoint() const { return path_ / "checkpoint"; }

  /// One row of metrics.csv, and the same values for TensorBoard.
  void log(std::int64_t step, const std::vector<std::optional<double>>& values);

  /// Saves a figure as NAME.png and puts it into the report, in place of an earlier one of that name, and
  /// into TensorBoard.
  void figure(const std::string& name, const Canvas& canvas, const std::string& caption);
  /// An animation, NAME.gif.
  void animation(const std::string& name, const std::string& gif, const std::string& caption);
  using Texts = std::vector<std::pair<std::string, std::string>>;  ///< names, and what belongs to them
  /// What a trained model wrote: saves all of it as NAME.txt, and puts examples into the report.
  void writing(const std::string& name, const std::string& all, const std::string& heading, Texts examples);

  /// Writes summary.json.
  void summary(const Facts& run, const Facts& metrics);
  /// Writes report.html, with the figures and writings so far.
  void report(const std::string& title, const Facts& run, const Facts& metrics, const Facts& settings);

 private:
  std::filesystem::path path_;
  std::vector<std::string> columns_;
  CsvLog csv_;
  TensorBoardWriter events_;
  std::int64_t last_step_ = 0;
  void show(const std::filesystem::path& file, const std::string& caption);
  std::vector<std::pair<std::filesystem::path, std::string>> figures_;
  std::vector<std::pair<std::string, Texts>> writings_;
};

/// A column of the metrics.csv in a run's folder, with the column "step": for learning curves.
struct LoggedColumn {
  std::vector<double> step, value;
};
LoggedColumn read_column(const std::filesystem::path& folder, const std::string& column);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_RUN_FOLDER_H_
