#ifndef FOVEA_TOOLS_PICTURES_H_
#define FOVEA_TOOLS_PICTURES_H_

#include <filesystem>
#include <string>
#include <vector>

#include "fovea/models/data/labelled_images.h"

namespace fovea::tools {

/// A set of pictures by its name: drawn (22,000 digits that Fovea draws itself), or one of a data folder:
/// mnist, fashion-mnist (the first 50,000 to learn from), binarized-mnist, cifar10-subset. Errors say how to
/// get what is missing.
PictureSet load_pictures(const std::string& name, const std::filesystem::path& data_dir);
/// The names of the sets.
std::vector<std::string> picture_sets();

/// A photograph for figures that explain: grey, f32 [1,1,100,100] in [0, 1]. Undefined where the folder, or
/// this build, has none.
Tensor load_photo(const std::filesystem::path& data_dir);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_PICTURES_H_
