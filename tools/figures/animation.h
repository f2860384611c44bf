#ifndef FOVEA_TOOLS_FIGURES_ANIMATION_H_
#define FOVEA_TOOLS_FIGURES_ANIMATION_H_

#include <filesystem>
#include <span>
#include <string>

#include "tools/figures/image.h"

namespace fovea::tools {

/// One picture of an animation and how long it is shown.
struct Frame {
  RgbImage image = {};
  int delay_ms = 100;  ///< in steps of 10 ms, at least 20
};

/// The bytes of an animated GIF that repeats for ever. Frames share one palette of 256 colours: the exact
/// ones where so many suffice, otherwise chosen over all frames; each frame stores only the rectangle that
/// changed. Throws std::invalid_argument for no frames or frames of different sizes, std::runtime_error where
/// Fovea was built without giflib.
std::string gif(std::span<const Frame> frames);

/// Writes an animated GIF under a temporary name, then renames. Throws std::runtime_error naming the file.
void save_gif(const std::filesystem::path& file, std::span<const Frame> frames);

}  // namespace fovea::tools

#endif
