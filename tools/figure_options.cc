#include "tools/figure_options.h"

#include <iostream>

#include "fovea/core/error.h"

namespace fovea::tools {

void check_figure(const std::filesystem::path& file) {
  require(figures_available(), "figures", "this build of Fovea cannot draw ", file.string());
  require(file.extension() == ".png" || file.extension() == ".svg", "figures", file.string(),
          " is neither .png nor .svg");
  std::error_code error;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  require(!error, "figures", "cannot make the folder ", file.parent_path().string(), ": ", error.message());
}

void FigureOptions::add_to(Command command, const std::string& about) {
  command.option("--figure", file, about).with_default(name.string());
  command.option("--out-dir", out_dir, "The folder to put it in (default: this one)");
}

void FigureOptions::save(const Canvas& canvas) const {
  const std::filesystem::path path = out_dir / (file.empty() ? name : file);
  check_figure(path);
  canvas.save(path);
  std::cerr << "wrote " << path.string() << '\n';
}

}  // namespace fovea::tools
