#include "fovea/models/images/read_image.h"

#include <algorithm>
#include <string_view>

#include "fovea/core/mapped_file.h"
#include "fovea/models/images/decode.h"

namespace fovea {
namespace {

/// [H,W,C] to [C,H,W] in the colours asked for.
Tensor planes(const Tensor& from, Colors colors) {
  const Index pixels = from.size(0) * from.size(1), channels = from.size(2);
  const Index wanted = colors == Colors::as_stored ? channels : colors == Colors::grey ? 1 : 3;
  Tensor to = Tensor::empty({wanted, from.size(0), from.size(1)}, DType::u8);
  const auto* in = from.data<std::uint8_t>();
  auto* out = to.mutable_data<std::uint8_t>();
  if (wanted < channels) {
    for (Index i = 0; i < pixels; ++i, in += 3)
      out[i] = static_cast<std::uint8_t>((299 * in[0] + 587 * in[1] + 114 * in[2] + 500) / 1000);
  } else {
    for (Index c = 0; c < wanted; ++c, out += pixels)
      for (Index i = 0; i < pixels; ++i) out[i] = in[i * channels + (channels == 1 ? 0 : c)];
  }
  return to;
}

}  // namespace

Tensor read_image(const std::filesystem::path& path, const ReadImageOptions& options) {
  const MappedFile mapped(path, "read_image");
  const detail::ImageFile file{path.string(), mapped.bytes(), options.most_pixels};
  const std::string_view start(reinterpret_cast<const char*>(mapped.data()),
                               std::min<std::size_t>(8, mapped.bytes().size()));
  if (start == "\x89PNG\r\n\x1a\n") return planes(detail::decode_png(file), options.colors);
  if (start.starts_with("\xff\xd8\xff")) return planes(detail::decode_jpeg(file), options.colors);
  file.fail("is neither a PNG nor a JPEG file");
}

}  // namespace fovea
