#include "tools/figure_options.h"

#include <iostream>

#include "fovea/core/error.h"

namespace fovea::tools {

void FigureOptions::add_to(Command command, const std::string& about) {
  command.option("--figure", file, about).with_default(name.string());
  command.option("--out-dir", out_dir, "The folder to put it in (default: this one)");
}

void FigureOptions::save(const Canvas& canvas) const {
  const std::filesystem::path path = out_dir / (file.empty() ? name : file);
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  require(!error, "sample", "cannot make the folder ", path.parent_path().string(), ": ", error.message());
  canvas.save(path);
  std::cerr << "wrote " << path.string() << '\n';
}

}  // namespace fovea::tools
