#ifndef FOVEA_MODELS_IMAGES_READ_IMAGE_H_
#define FOVEA_MODELS_IMAGES_READ_IMAGE_H_

#include <filesystem>

#include "fovea/core/tensor.h"

namespace fovea {

enum class Colors { as_stored, grey, rgb };

struct ReadImageOptions {
  Colors colors = Colors::as_stored;
  Index most_pixels = Index{1} << 27;  ///< a picture of more is refused before memory is taken for it
};

/// A PNG or JPEG file as u8 [C,H,W], C = 1 (grey) or 3 (red, green, blue), with the values as stored, which
/// are sRGB's as a rule.
///
/// What the file's first bytes say counts, not its name. 16 bits become 8, palettes become colours, and what
/// is transparent is laid on white. Grey from colours is their luma, 0.299 R + 0.587 G + 0.114 B. EXIF's
/// orientation is not applied.
///
/// Every error is Error and names the file: it cannot be opened, is neither PNG nor JPEG, is damaged or cut
/// off, too large, or CMYK. A picture of which a part is missing is refused, not filled up with grey.
Tensor read_image(const std::filesystem::path& path, const ReadImageOptions& options = {});

}  // namespace fovea

#endif  // FOVEA_MODELS_IMAGES_READ_IMAGE_H_
