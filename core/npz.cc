#include "fovea/core/npz.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "fovea/core/atomic_file.h"
#include "fovea/core/gzip.h"
#include "fovea/core/npy.h"

namespace fovea {
namespace {

constexpr const char* op = "npz";

// Signatures, sizes and marks of the zip format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
constexpr std::uint32_t local_mark = 0x04034b50, entry_mark = 0x02014b50, end_mark = 0x06054b50;
constexpr std::uint32_t end64_mark = 0x06064b50, locator_mark = 0x07064b50;
constexpr std::uint64_t end_bytes = 22, locator_bytes = 20;
constexpr std::uint32_t in_zip64 = 0xffffffff;  // "the number is in the ZIP64 field"
constexpr std::uint16_t count_in_zip64 = 0xffff;
constexpr std::uint16_t zip64_field = 1, stored = 0, deflated = 8, encrypted = 1;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::uint32_t check_sum(std::span<const std::byte> bytes, std::uint32_t before = 0) {
  return static_cast<std::uint32_t>(
      crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

/// The record at the end of the archive, which nothing but a comment follows.
std::uint64_t find_end(ByteReader& in) {
  const std::uint64_t size = in.size();
  for (std::uint64_t comment = 0; comment <= 0xffff && comment + end_bytes <= size; ++comment) {
    const std::uint64_t at = size - end_bytes - comment;
    in.seek(at, "end record");
    if (in.little<std::uint32_t>("end record") != end_mark) continue;
    in.seek(at + 20, "end record");
    if (in.little<std::uint16_t>("end record") == comment) return at;
  }
  in.fail_at(0, "end record", "none found: this is no zip archive");
}

}  // namespace

NpzFile::NpzFile(const std::filesystem::path& path) : file_(std::make_shared<MappedFile>(path, op)) {
  ByteReader in(op, path.string(), file_->bytes());
  std::uint64_t end = find_end(in);
  in.seek(end + 4, "end record");
  const auto disk = in.little<std::uint16_t>("disk"), first_disk = in.little<std::uint16_t>("disk");
  in.require_at(disk == 0 && first_disk == 0, end + 4, "disk", "archives of several parts cannot be read");
  in.take(2, "end record");
  std::uint64_t count = in.little<std::uint16_t>("number of entries");
  std::uint64_t bytes = in.little<std::uint32_t>("directory size");
  directory_ = in.little<std::uint32_t>("directory offset");
  // Some archives have the ZIP64 record without being in need of it.
  in.seek(end - std::min(end, locator_bytes), "ZIP64 locator");
  const bool is_zip64 = end >= locator_bytes && in.little<std::uint32_t>("ZIP64 locator") == locator_mark;
  const bool needed = count == count_in_zip64 || bytes == in_zip64 || directory_ == in_zip64;
  in.require_at(is_zip64 || !needed, end, "ZIP64 locator", "is missing");
  if (is_zip64) {
    in.take(4, "ZIP64 locator");
    const auto at = in.little<std::uint64_t>("ZIP64 end offset");
    in.require_at(at <= end - locator_bytes, end - 12, "ZIP64 end offset", at, " lies behind its locator");
    end = at;
    in.seek(at, "ZIP64 end record");
    in.require_at(in.little<std::uint32_t>("ZIP64 end record") == end64_mark, at, "ZIP64 end record",
                  "is not there");
    in.take(28, "ZIP64 end record");
    count = in.little<std::uint64_t>("number of entries");
    bytes = in.little<std::uint64_t>("directory size");
    directory_ = in.little<std::uint64_t>("directory offset");
  }
  in.require_at(directory_ <= end && bytes == end - directory_, end, "directory", bytes, " bytes at ",
                directory_, " do not end where the end record begins");
  in.seek(directory_, "directory");
  std::uint64_t entries = 0;
  for (; in.offset() < end; ++entries) read_entry(in);
  in.require_at(in.offset() == end && entries == count, end, "directory", "has ", entries, " entries, not ",
                count);
}

void NpzFile::read_entry(ByteReader& in) {
  const auto start = in.offset();
  in.require_at(in.little<std::uint32_t>("entry") == entry_mark, start, "entry", "does not begin as one");
  in.take(4, "versions");
  const auto flags = in.little<std::uint16_t>("flags"), method = in.little<std::uint16_t>("method");
  in.take(4, "time");
  Member m;
  m.crc = in.little<std::uint32_t>("check sum");
  m.compressed = in.little<std::uint32_t>("compressed size");
  m.size = in.little<std::uint32_t>("size");
  const auto name_bytes = in.little<std::uint16_t>("name length");
  const auto extra_bytes = in.little<std::uint16_t>("extra length");
  const auto comment_bytes = in.little<std::uint16_t>("comment length");
  in.take(8, "attributes");
  m.offset = in.little<std::uint32_t>("member offset");
  std::string_view name = as_text(in.take(name_bytes, "name"));
  for (const auto extra_end = in.offset() + extra_bytes; in.offset() < extra_end;) {
    const auto field = in.little<std::uint16_t>("extra field");
    const auto field_end = in.offset() + 2 + in.little<std::uint16_t>("extra field");
    in.require_at(field_end <= extra_end, in.offset(), "extra field", "does not end with its entry");
    if (field == zip64_field)
      for (std::uint64_t* number : {&m.size, &m.compressed, &m.offset})
        if (*number == in_zip64) *number = in.little<std::uint64_t>("ZIP64 field");
    in.require_at(in.offset() <= field_end, in.offset(), "ZIP64 field", "is too short");
    in.seek(field_end, "extra field");
  }
  in.take(comment_bytes, "comment");

  if (!name.ends_with(".npy")) return;
  in.require_at(!(flags & encrypted), start, in_quotes(name), "is encrypted");
  in.require_at(method == stored || method == deflated, start, in_quotes(name), "compression method ", method,
                " is not known; stored and deflated are");
  m.deflated = method == deflated;
  in.require_at(m.deflated || m.size == m.compressed, start, in_quotes(name), "is stored in ", m.compressed,
                " bytes, not ", m.size);
  name.remove_suffix(4);
  in.require_at(members_.emplace(name, m).second, start, in_quotes(name), "is there twice");
}

std::vector<std::string> NpzFile::names() const {
  std::vector<std::string> out;
  for (const auto& [name, member] : members_) out.push_back(name);
  return out;
}

Tensor NpzFile::get(std::string_view name) const {
  const auto found = members_.find(name);
  require(found != members_.end(), op, path().string(), ": has no array ", in_quotes(name));
  const Member& m = found->second;
  const std::string member_name = cat(path().string(), ": ", in_quotes(name));
  ByteReader in(op, member_name, file_->bytes().first(directory_));
  in.seek(m.offset, "member");
  in.require_at(in.little<std::uint32_t>("member") == local_mark, m.offset, "member",
                "does not begin as one");
  in.take(22, "member");
  const auto name_bytes = in.little<std::uint16_t>("name length");
  const auto extra_bytes = in.little<std::uint16_t>("extra length");
  const auto local_name = as_text(in.take(name_bytes, "name"));
  in.require_at(local_name == found->first + ".npy", m.offset, "name", "is ", in_quotes(local_name), " here");
  in.take(extra_bytes, "extra field");

  // From here on offsets count from the start of the array's own bytes.
  const auto read = [&](std::span<const std::byte> bytes) {
    ByteReader array(op, member_name, bytes);
    array.require_at(check_sum(bytes) == m.crc, 0, "check sum", "differs: the array is corrupt");
    return detail::read_npy(array);
  };
  if (!m.deflated) return read(in.take(m.size, "array"));

  Inflater inflater(in, m.compressed, Inflater::Format::deflate);
  in.require_at(m.size <= inflater.most(), m.offset, "size", m.compressed, " bytes cannot inflate to ",
                m.size);
  const auto inflate = [&](Tensor& to, std::uint64_t from) {
    const std::span all(static_cast<std::byte*>(to.raw_mutable()), to.bytes());
    in.require_at(inflater.read(all.subspan(from)) == all.size() - from, m.offset, "array",
                  "inflates to less than ", all.size(), " bytes");
    return std::span<const std::byte>(all);
  };
  const auto longer = [](std::span<const std::byte> start, std::uint64_t size) {
    Tensor out = Tensor::empty({static_cast<Index>(size)}, DType::u8);
    std::copy(start.begin(), start.end(), static_cast<std::byte*>(out.raw_mutable()));
    return out;
  };
  // The array's own header is read before room is made for what the archive says that it holds.
  in.require_at(m.size >= detail::npy_preamble, m.offset, "size", m.size, " bytes are too few for an array");
  Tensor preamble = longer({}, detail::npy_preamble);
  const auto preamble_bytes = inflate(preamble, 0);
  const auto data = detail::npy_data_offset(ByteReader(op, member_name, preamble_bytes));
  in.require_at(data >= detail::npy_preamble && data <= m.size, m.offset, "size", m.size,
                " bytes, but a header of ", data);
  Tensor start = longer(preamble_bytes, data);
  const auto start_bytes = inflate(start, detail::npy_preamble);
  ByteReader header(op, member_name, start_bytes);
  const auto wanted = data + detail::read_npy_header(header).data_bytes;
  in.require_at(wanted == m.size, m.offset, "size", m.size, " bytes, but the array's header wants ", wanted);
  Tensor whole = longer(start_bytes, m.size);
  const auto bytes = inflate(whole, data);
  inflater.expect_end();
  return read(bytes);
}

}  // namespace fovea
