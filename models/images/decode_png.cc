#include <png.h>

#include "fovea/models/images/decode.h"

namespace fovea::detail {
namespace {

// libpng's own reader for whole files: it reports by return value, and never jumps or prints.
struct Reader {
  Reader() { image.version = PNG_IMAGE_VERSION; }
  ~Reader() { png_image_free(&image); }
  png_image image{};
};

}  // namespace

Tensor decode_png(const ImageFile& file) {
  Reader reader;
  png_image& image = reader.image;
  if (!png_image_begin_read_from_memory(&image, file.bytes.data(), file.bytes.size()))
    file.fail("damaged PNG: ", image.message);
  file.check_size(image.width, image.height);
  const bool colored = image.format & PNG_FORMAT_FLAG_COLOR;
  image.format = colored ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // else 16 bits without a gamma are taken for linear light
  Tensor out = Tensor::empty({image.height, image.width, colored ? 3 : 1}, DType::u8);
  const png_color white{255, 255, 255};
  if (!png_image_finish_read(&image, &white, out.raw_mutable(), 0, nullptr))
    file.fail("damaged PNG: ", image.message);
  return out;
}

}  // namespace fovea::detail
