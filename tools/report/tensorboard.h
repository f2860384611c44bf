#ifndef FOVEA_TOOLS_REPORT_TENSORBOARD_H_
#define FOVEA_TOOLS_REPORT_TENSORBOARD_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "tools/report/append_file.h"

namespace fovea::tools {

/// Writes a TensorBoard event file, `events.out.tfevents.<seconds>.<host>`, of scalars and pictures. The
/// protocol buffers are encoded by hand: an event is four fields. Each event is on disk before its call
/// returns. Errors are std::runtime_error naming the file.
class TensorBoardWriter {
 public:
  /// Opens a new event file in `folder`, making the folder where it is missing. After a resume, `resumed_at`
  /// is the step resumed from: TensorBoard then drops what older files of the folder hold from the next step
  /// on.
  explicit TensorBoardWriter(const std::filesystem::path& folder,
                             std::optional<std::int64_t> resumed_at = {});

  /// Adds a point to the curve `tag`: "train/loss".
  void scalar(std::string_view tag, std::int64_t step, double value);
  /// Adds a picture, given as the bytes of a PNG file. Throws std::invalid_argument where they are not.
  void image(std::string_view tag, std::int64_t step, std::string_view png);

  /// The event file.
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  void write(std::int64_t step, std::uint32_t field, std::string_view payload);

  AppendFile file_;
};

}  // namespace fovea::tools

#endif
