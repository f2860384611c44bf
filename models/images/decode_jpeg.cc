#include <csetjmp>
#include <cstdio>  // for jpeglib.h, which does not include it
//
#include <jerror.h>
#include <jpeglib.h>

#include "fovea/models/images/decode.h"

namespace fovea::detail {
namespace {

// libjpeg leaves a failed call by calling error_exit, which must not return; its own ends the program. Ours
// jumps back into start() or finish(), which therefore hold nothing that wants destroying.
class Decoder {
 public:
  Decoder() {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = [](j_common_ptr info) { of(info).leave(info); };
    errors_.emit_message = [](j_common_ptr info, int level) {
      if (level < 0 && !harmless(info->err->msg_code)) of(info).leave(info);
    };
    errors_.output_message = [](j_common_ptr) {};
    progress_.progress_monitor = [](j_common_ptr info) { of(info).check_scans(); };
  }
  ~Decoder() { jpeg_destroy_decompress(&info_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  const jpeg_decompress_struct& info() const { return info_; }
  const char* message() const { return message_; }

  /// Reads as far as the pixels. False when that fails.
  bool start(const std::byte* data, std::size_t size) {
    if (setjmp(escape_)) return false;
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(data), static_cast<unsigned long>(size));
    jpeg_read_header(&info_, TRUE);
    return true;
  }

  /// Reads the pixels, as grey or as RGB. False when that fails.
  bool finish(std::uint8_t* out, bool grey) {
    if (setjmp(escape_)) return false;
    info_.out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&info_);
    const std::size_t row = std::size_t{info_.output_width} * (grey ? 1 : 3);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW to = out + info_.output_scanline * row;
      jpeg_read_scanlines(&info_, &to, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

 private:
  // A progressive file may come in very many scans, of which each costs a pass over the whole picture.
  static constexpr int most_scans = 500;

  static Decoder& of(j_common_ptr info) { return *static_cast<Decoder*>(info->client_data); }

  // Warnings that leave the picture as it was meant; all others mean that libjpeg makes something up.
  static bool harmless(int code) {
    return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
  }

  [[noreturn]] void leave(j_common_ptr info) {
    info->err->format_message(info, message_);
    std::longjmp(escape_, 1);
  }

  void check_scans() {
    if (info_.input_scan_number <= most_scans) return;
    std::snprintf(message_, sizeof message_, "more than %d scans", most_scans);
    std::longjmp(escape_, 1);
  }

  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf escape_{};
  char message_[JMSG_LENGTH_MAX] = "";
};

}  // namespace

Tensor decode_jpeg(const ImageFile& file) {
  Decoder decoder;
  if (!decoder.start(file.bytes.data(), file.bytes.size())) file.fail("damaged JPEG: ", decoder.message());
  const jpeg_decompress_struct& info = decoder.info();
  file.check_size(info.image_width, info.image_height);
  const auto space = info.jpeg_color_space;
  if (space != JCS_GRAYSCALE && space != JCS_YCbCr && space != JCS_RGB)
    file.fail("a JPEG of ", info.num_components, " components, which is not grey or RGB; convert it to RGB");
  const bool grey = space == JCS_GRAYSCALE;
  Tensor out = Tensor::empty({info.image_height, info.image_width, grey ? 1 : 3}, DType::u8);
  if (!decoder.finish(static_cast<std::uint8_t*>(out.raw_mutable()), grey))
    file.fail("damaged JPEG: ", decoder.message());
  return out;
}

}  // namespace fovea::detail
