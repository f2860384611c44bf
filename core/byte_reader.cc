#include "fovea/core/byte_reader.h"

#include <algorithm>
#include <array>

namespace fovea {

void ByteReader::seek(std::uint64_t offset, std::string_view field) {
  require_at(offset <= size(), offset, field, "lies past the end of the file of ", size(), " bytes");
  offset_ = offset;
}

std::span<const std::byte> ByteReader::take(std::uint64_t n, std::string_view field) {
  require_at(n <= remaining(), offset_, field, "needs ", n, " bytes, but the file has ", remaining(),
             " more");
  const auto out = bytes_.subspan(offset_, n);
  offset_ += n;
  return out;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 100;
  std::string out = "'";
  for (char c : text.substr(0, longest)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out += text.size() > longest ? "...'" : "'";
}

std::uint64_t checked_count(std::span<const std::uint64_t> sizes, const ByteReader& in, std::uint64_t offset,
                            std::string_view field) {
  constexpr std::uint64_t most = (std::uint64_t{1} << 58) - 1;  // so that bits can be counted, too
  std::uint64_t product = 1;
  bool empty = false;
  for (std::uint64_t s : sizes) {
    empty |= s == 0;
    if (s == 0) continue;
    in.require_at(s <= most / product, offset, field, "more elements than can be counted");
    product *= s;
  }
  return empty ? 0 : product;
}

Shape checked_shape(std::span<const std::uint64_t> sizes, const ByteReader& in, std::uint64_t offset,
                    std::string_view field) {
  in.require_at(sizes.size() <= max_rank, offset, field, sizes.size(), " dimensions; the most is ", max_rank);
  checked_count(sizes, in, offset, field);
  std::array<Index, max_rank> out{};
  std::transform(sizes.begin(), sizes.end(), out.begin(), [](auto s) { return static_cast<Index>(s); });
  return Shape(std::span<const Index>(out.data(), sizes.size()));
}

}  // namespace fovea
