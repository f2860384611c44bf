#ifndef FOVEA_MODELS_IMAGES_DECODE_H_
#define FOVEA_MODELS_IMAGES_DECODE_H_

#include <cstddef>
#include <span>
#include <string>

#include "fovea/core/tensor.h"

/// The decoders behind read_image(). Not installed.

namespace fovea::detail {

/// A file's bytes, and what errors call it.
struct ImageFile {
  std::string name;
  std::span<const std::byte> bytes;
  Index most_pixels;

  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    fovea::fail("read_image", name, ": ", parts...);
  }
  void check_size(Index width, Index height) const {
    if (width < 1 || height < 1 || width > most_pixels / height)
      fail(width, " x ", height, " pixels are not from 1 to ", most_pixels, "; most_pixels sets the limit");
  }
};

/// u8 [H,W,C], C = 1 or 3.
Tensor decode_png(const ImageFile& file);
Tensor decode_jpeg(const ImageFile& file);

}  // namespace fovea::detail

#endif  // FOVEA_MODELS_IMAGES_DECODE_H_
