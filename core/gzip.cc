#include "fovea/core/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <new>

#include "fovea/core/mapped_file.h"
#include "fovea/core/memory.h"

namespace fovea {
namespace {

constexpr std::uint64_t best_ratio = 1032;  // of deflate: 258 bytes for two bits
constexpr std::size_t most_a_call = std::size_t{1} << 30;

}  // namespace

Inflater::Inflater(ByteReader& in, std::uint64_t compressed, Format format)
    : file_(in.file()),
      op_(in.op()),
      offset_(in.offset()),
      in_(in.take(compressed, "compressed bytes")),
      most_(in_.size() * best_ratio),
      format_(format),
      stream_(new z_stream{}) {
  const int window = format == Format::gzip ? MAX_WBITS + 16 : -MAX_WBITS;
  if (inflateInit2(stream_.get(), window) != Z_OK) fail("zlib cannot start");
}

Inflater::~Inflater() { inflateEnd(stream_.get()); }

void Inflater::fail(const char* what) const {
  fovea::fail(op_, file_, ": compressed bytes at offset ", offset_, ": ", what);
}

std::size_t Inflater::read(std::span<std::byte> out) {
  z_stream& z = *stream_;
  const std::size_t wanted = out.size();
  while (!out.empty() && !ended_) {
    const auto given = static_cast<uInt>(std::min(in_.size(), most_a_call));
    const auto room = static_cast<uInt>(std::min(out.size(), most_a_call));
    z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in_.data()));  // zlib does not write there
    z.avail_in = given;
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = room;
    const int result = inflate(&z, Z_NO_FLUSH);
    in_ = in_.subspan(given - z.avail_in);
    offset_ += given - z.avail_in;
    out = out.subspan(room - z.avail_out);
    if (result == Z_STREAM_END) {
      // A gzip file may be several one after the other, and may be filled up with zeros.
      const auto is_zero = [](std::byte b) { return b == std::byte{0}; };
      ended_ = format_ == Format::deflate || std::all_of(in_.begin(), in_.end(), is_zero);
      if (!ended_) inflateReset(&z);
    } else if (result == Z_BUF_ERROR) {
      fail("they end too early");
    } else if (result != Z_OK) {
      fail(z.msg ? z.msg : "corrupt");
    }
  }
  return wanted - out.size();
}

void Inflater::expect_end() {
  std::byte more;
  if (read({&more, 1}) != 0) fail("hold more than was announced");
  if (format_ == Format::deflate && !in_.empty()) fail("go on behind their end");
}

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

std::string read_text(const std::filesystem::path& path, std::uint64_t most, const char* op) {
  const MappedFile file(path, op);
  const auto bytes = file.bytes();
  const auto check_size = [&](std::uint64_t size) {
    require(size <= most, op, path.string(), ": holds more than ", most, " bytes");
  };
  try {
    if (!is_gzip(bytes)) {
      check_size(bytes.size());
      return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    ByteReader in(op, path.string(), bytes);
    Inflater inflater(in, bytes.size(), Inflater::Format::gzip);
    std::string out;
    for (std::size_t size = 0; size == out.size();) {  // stops when a piece was not filled
      check_size(size);
      out.resize(std::max<std::size_t>(std::size_t{1} << 16, 2 * size));
      size += inflater.read(std::as_writable_bytes(std::span(out)).subspan(size));
      if (size < out.size()) {
        out.resize(size);
        break;
      }
    }
    check_size(out.size());
    return out;
  } catch (const std::bad_alloc&) {
    throw OutOfMemory(cat("[", op, "] ", path.string(), ": not enough memory for its content"), bytes.size(),
                      memory_stats().allocated, memory_stats().peak);
  }
}

}  // namespace fovea
