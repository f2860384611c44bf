#include <span>

#include "fovea/core/gzip.h"
#include "fovea/models/data/texts.h"

// The assembler puts the file into the library; CMakeLists.txt says where it is.
asm(R"(
  .pushsection .rodata
fovea_sample_text:
  .incbin ")" FOVEA_SAMPLE_TEXT R"("
fovea_sample_text_end:
  .byte 0
  .popsection
)");

namespace fovea {

extern const std::byte sample_text_begin[] __asm__("fovea_sample_text") __attribute__((visibility("hidden")));
extern const std::byte sample_text_end[] __asm__("fovea_sample_text_end")
    __attribute__((visibility("hidden")));

std::string sample_text() {
  ByteReader in("sample_text", "the embedded text", {sample_text_begin, sample_text_end});
  Inflater inflater(in, in.size(), Inflater::Format::gzip);
  std::string text(std::size_t{1} << 20, '\0');
  text.resize(inflater.read(std::as_writable_bytes(std::span(text))));
  inflater.expect_end();
  return text;
}

}  // namespace fovea
