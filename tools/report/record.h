#ifndef FOVEA_TOOLS_REPORT_RECORD_H_
#define FOVEA_TOOLS_REPORT_RECORD_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace fovea::tools {

/// The CRC-32C (Castagnoli) checksum of `bytes`.
std::uint32_t crc32c(std::string_view bytes);

/// The checksum as TFRecord files store it: rotated right by 15 bits, plus a constant.
std::uint32_t masked_crc32c(std::string_view bytes);

/// `data` framed as one TFRecord: its length in 8 bytes, their checksum, the data, its checksum; all
/// little-endian.
std::string frame_record(std::string_view data);

}  // namespace fovea::tools

#endif
