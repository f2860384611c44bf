#include "tools/figures/animation.h"

#include <stdexcept>

#include "tools/figures/file.h"

#ifdef FOVEA_FIGURES
#include <gif_lib.h>

#include <algorithm>
#include <bit>
#include <exception>
#include <memory>
#include <vector>

#include "tools/figures/palette.h"
#endif

namespace fovea::tools {

#ifdef FOVEA_FIGURES

namespace {

[[noreturn]] void fail(int error) {
  const char* message = GifErrorString(error);
  throw std::runtime_error(std::string("cannot encode a GIF: ") + (message ? message : "unknown error"));
}

struct FreeMap {
  void operator()(ColorMapObject* map) const { GifFreeMapObject(map); }
};
using Map = std::unique_ptr<ColorMapObject, FreeMap>;

// giflib calls this from C: no exception may pass.
int append(GifFileType* file, const GifByteType* data, int n) noexcept {
  try {
    static_cast<std::string*>(file->UserData)
        ->append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(n));
    return n;
  } catch (const std::exception&) {
    return 0;
  }
}

class Writer {
 public:
  explicit Writer(std::string& out) {
    int error = 0;
    file_ = EGifOpen(&out, append, &error);
    if (!file_) fail(error);
    EGifSetGifVersion(file_, true);
  }
  ~Writer() {
    int error = 0;
    if (file_) EGifCloseFile(file_, &error);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void header(int width, int height, const Palette& palette) {
    const auto used = static_cast<unsigned>(palette.colors().size());
    const int size = static_cast<int>(std::max(2u, std::bit_ceil(used)));
    const Map map(GifMakeMapObject(size, nullptr));
    if (!map) fail(E_GIF_ERR_NOT_ENOUGH_MEM);
    std::fill_n(map->Colors, size, GifColorType{});
    std::transform(palette.colors().begin(), palette.colors().end(), map->Colors, [](const auto& c) {
      return GifColorType{c[0], c[1], c[2]};
    });
    check(EGifPutScreenDesc(file_, width, height, map->BitsPerPixel, 0, map.get()));
    const std::string name = "NETSCAPE2.0", forever{"\x01\x00\x00", 3};
    check(EGifPutExtensionLeader(file_, APPLICATION_EXT_FUNC_CODE));
    check(EGifPutExtensionBlock(file_, static_cast<int>(name.size()), name.data()));
    check(EGifPutExtensionBlock(file_, static_cast<int>(forever.size()), forever.data()));
    check(EGifPutExtensionTrailer(file_));
  }

  // The frame's changed rectangle; `before` is empty for the first.
  void frame(std::vector<std::uint8_t>& now, const std::vector<std::uint8_t>& before, int width, int height,
             int delay_ms) {
    int left = 0, top = 0, right = width, bottom = height;
    if (!before.empty()) {
      left = width, top = height, right = bottom = 0;
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
          const auto i =
              static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
          if (now[i] == before[i]) continue;
          left = std::min(left, x), right = std::max(right, x + 1);
          top = std::min(top, y), bottom = y + 1;
        }
      }
      if (right == 0) left = top = 0, right = bottom = 1;  // nothing changed: one pixel carries the delay
    }
    GraphicsControlBlock control{};
    control.DisposalMode = DISPOSE_DO_NOT;
    control.DelayTime = std::clamp((delay_ms + 5) / 10, 2, 65535);
    control.TransparentColor = NO_TRANSPARENT_COLOR;
    GifByteType bytes[4];
    const auto n = static_cast<int>(EGifGCBToExtension(&control, bytes));
    check(EGifPutExtension(file_, GRAPHICS_EXT_FUNC_CODE, n, bytes));
    check(EGifPutImageDesc(file_, left, top, right - left, bottom - top, false, nullptr));
    for (int y = top; y < bottom; ++y) {
      const auto i =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(left);
      check(EGifPutLine(file_, &now[i], right - left));
    }
  }

  void close() {
    int error = 0;
    const int result = EGifCloseFile(file_, &error);
    file_ = nullptr;
    if (result != GIF_OK) fail(error);
  }

 private:
  void check(int result) const {
    if (result != GIF_OK) fail(file_->Error);
  }

  GifFileType* file_ = nullptr;
};

}  // namespace

std::string gif(std::span<const Frame> frames) {
  if (frames.empty()) throw std::invalid_argument("an animation needs at least one frame");
  std::vector<const RgbImage*> images;
  for (const Frame& f : frames) images.push_back(&f.image);
  const int width = images[0]->width, height = images[0]->height;
  for (const RgbImage* image : images) {
    const bool whole = image->pixels.size() == std::size_t(image->width) * std::size_t(image->height) * 3;
    if (image->width != width || image->height != height || width < 1 || height < 1 || width > 65535 ||
        height > 65535 || !whole) {
      throw std::invalid_argument(
          "the frames of an animation must be whole pictures of one size, up to 65535 a side");
    }
  }
  const Palette palette(images);
  std::string bytes;
  Writer writer(bytes);
  writer.header(width, height, palette);
  std::vector<std::uint8_t> before;
  for (const Frame& f : frames) {
    auto now = palette.indices(f.image);
    writer.frame(now, before, width, height, f.delay_ms);
    before = std::move(now);
  }
  writer.close();
  return bytes;
}

#else

std::string gif(std::span<const Frame>) {
  throw std::runtime_error(
      "cannot draw animations: this build of Fovea has no Cairo and giflib (install libcairo2-dev libgif-dev "
      "and "
      "configure again)");
}

#endif

void save_gif(const std::filesystem::path& file, std::span<const Frame> frames) {
  write_file(file, gif(frames));
}

}  // namespace fovea::tools
