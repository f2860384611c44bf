#include "fovea/core/idx.h"

#include <array>
#include <optional>
#include <vector>

#include "fovea/core/byte_reader.h"
#include "fovea/core/gzip.h"
#include "fovea/core/mapped_file.h"
#include "fovea/core/stored.h"

namespace fovea {
namespace {

constexpr const char* op = "idx";
constexpr std::size_t most_header_bytes = 4 + 4 * max_rank;

struct Header {
  Stored type;
  Shape shape;
  std::uint64_t data_bytes;
};

/// Leaves `in` at the elements.
Header read_header(ByteReader& in) {
  in.require_at(in.little<std::uint16_t>("magic") == 0, 0, "magic", "is not that of an IDX file");
  const auto code = in.little<std::uint8_t>("type");
  const std::optional<Stored> type = code == 8    ? std::optional(Stored::u8)
                                     : code == 12 ? std::optional(Stored::i32)
                                     : code == 13 ? std::optional(Stored::f32)
                                     : code == 14 ? std::optional(Stored::f64)
                                                  : std::nullopt;
  in.require_at(type.has_value(), 2, "type", int{code}, " cannot be read; 8, 12, 13 and 14 can");
  const auto rank = in.little<std::uint8_t>("number of dimensions");
  in.require_at(rank >= 1 && rank <= max_rank, 3, "number of dimensions", int{rank}, " is not from 1 to ",
                max_rank);
  std::vector<std::uint64_t> sizes;
  for (int i = 0; i < rank; ++i) sizes.push_back(in.big<std::uint32_t>(cat("size of dimension ", i)));
  const Shape shape = checked_shape(sizes, in, 4, "sizes");
  return {*type, shape, static_cast<std::uint64_t>(shape.numel()) * size_of(*type)};
}

Tensor read_elements(const Header& header, ByteReader& in) {
  const auto offset = in.offset();
  in.require_at(in.remaining() == header.data_bytes, offset, "elements", "sizes ", header.shape, " want ",
                header.data_bytes, " bytes, but there are ", in.remaining());
  return decode(header.type, true, header.shape, in.take(header.data_bytes, "elements"), in, offset);
}

Tensor read_compressed(ByteReader& in) {
  Inflater inflater(in, in.remaining(), Inflater::Format::gzip);
  std::array<std::byte, most_header_bytes> start;
  const std::span bytes(start.data(), inflater.read(start));
  ByteReader head(op, in.file(), bytes);
  const Header header = read_header(head);
  const std::uint64_t size = head.offset() + header.data_bytes;
  head.require_at(size >= bytes.size() && size <= inflater.most(), 4, "sizes", header.shape,
                  " do not fit a file of ", in.size(), " bytes");
  Tensor whole = Tensor::empty({static_cast<Index>(size)}, DType::u8);
  const std::span all(static_cast<std::byte*>(whole.raw_mutable()), whole.bytes());
  std::copy(bytes.begin(), bytes.end(), all.begin());
  const auto held = bytes.size() + inflater.read(all.subspan(bytes.size()));
  ByteReader body(op, in.file(), all.first(held));
  body.seek(head.offset(), "elements");
  Tensor out = read_elements(header, body);
  inflater.expect_end();
  return out;
}

}  // namespace

Tensor load_idx(const std::filesystem::path& path) {
  const MappedFile file(path, op);
  ByteReader in(op, path.string(), file.bytes());
  if (is_gzip(file.bytes())) return read_compressed(in);
  const Header header = read_header(in);
  return read_elements(header, in);
}

}  // namespace fovea
