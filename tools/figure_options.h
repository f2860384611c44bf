#ifndef FOVEA_TOOLS_FIGURE_OPTIONS_H_
#define FOVEA_TOOLS_FIGURE_OPTIONS_H_

#include <filesystem>
#include <string>

#include "tools/command.h"
#include "tools/figures/canvas.h"

namespace fovea::tools {

/// Throws where a figure could not be saved in this file: this build cannot draw, or it is no .png or .svg.
/// Makes its folder when missing.
void check_figure(const std::filesystem::path& file);

/// Where `fovea sample` draws: --figure, a file, and --out-dir, the folder that it lies in.
struct FigureOptions {
  std::filesystem::path name;  ///< of the file, when none is given
  std::filesystem::path file = {}, out_dir = {};

  void add_to(Command command, const std::string& about = "The file to draw, .png or .svg");
  /// Whether either was given.
  bool wanted() const { return !file.empty() || !out_dir.empty(); }
  /// Writes the figure, makes its folder when missing, and says on stderr where it lies.
  void save(const Canvas& canvas) const;
};

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_FIGURE_OPTIONS_H_
