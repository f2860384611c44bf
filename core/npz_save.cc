#include <zlib.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "fovea/core/atomic_file.h"
#include "fovea/core/npy.h"
#include "fovea/core/npz.h"

namespace fovea {
namespace {

constexpr const char* op = "npz";
constexpr std::uint64_t in_zip64 = 0xffffffff, count_in_zip64 = 0xffff;

/// Numbers one behind the other, least significant byte first.
struct Record {
  std::string bytes;
  Record& u16(std::uint64_t value) { return put(value, 2); }
  Record& u32(std::uint64_t value) { return put(value, 4); }
  Record& u64(std::uint64_t value) { return put(value, 8); }
  Record& text(std::string_view value) {
    bytes += value;
    return *this;
  }

 private:
  Record& put(std::uint64_t value, int size) {
    for (; size-- > 0; value >>= 8) bytes += static_cast<char>(value & 255);
    return *this;
  }
};

struct Member {
  std::string name;
  std::uint64_t offset, size, crc;

  bool is_large() const { return offset >= in_zip64 || size >= in_zip64; }
  /// From the version needed to the sizes: the part that local header and directory entry share.
  Record common() const {
    const bool ascii = std::all_of(name.begin(), name.end(), [](char c) { return (c & 0x80) == 0; });
    const std::uint64_t shown = is_large() ? in_zip64 : size;
    constexpr std::uint64_t new_year_1980 =
        1 << 5 | 1;  // always the same, so that equal arrays make equal files
    Record out;
    out.u16(is_large() ? 45 : 20).u16(ascii ? 0 : 1 << 11).u16(0).u16(0).u16(new_year_1980);
    return out.u32(crc).u32(shown).u32(shown).u16(name.size());
  }
  std::string local_header() const {
    Record out;
    out.u32(0x04034b50).text(common().bytes).u16(is_large() ? 20 : 0).text(name);
    if (is_large()) out.u16(1).u16(16).u64(size).u64(size);
    return out.bytes;
  }
  std::string entry() const {
    Record out;
    out.u32(0x02014b50).u16(45).text(common().bytes).u16(is_large() ? 28 : 0).u16(0).u16(0).u16(0).u32(0);
    out.u32(is_large() ? in_zip64 : offset).text(name);
    if (is_large()) out.u16(1).u16(24).u64(size).u64(size).u64(offset);
    return out.bytes;
  }
};

std::string end_record(std::uint64_t count, std::uint64_t directory, std::uint64_t bytes) {
  Record out;
  if (count >= count_in_zip64 || directory >= in_zip64 || bytes >= in_zip64) {
    out.u32(0x06064b50).u64(44).u16(45).u16(45).u32(0).u32(0).u64(count).u64(count).u64(bytes).u64(directory);
    out.u32(0x07064b50).u32(0).u64(directory + bytes).u32(1);
  }
  const auto count16 = std::min(count, count_in_zip64);
  out.u32(0x06054b50).u16(0).u16(0).u16(count16).u16(count16);
  return out.u32(std::min(bytes, in_zip64)).u32(std::min(directory, in_zip64)).u16(0).bytes;
}

std::uint64_t check_sum(std::uint64_t before, std::string_view bytes) {
  return crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

}  // namespace

void save_npz(const std::filesystem::path& path, std::span<const NamedTensor> tensors) {
  std::set<std::string_view> names;
  for (const auto& [name, tensor] : tensors) {
    require(tensor.defined(), op, "cannot write ", path.string(), ": ", in_quotes(name), " is undefined");
    require(names.insert(name).second, op, "cannot write ", path.string(), ": two arrays are named ",
            in_quotes(name));
    require(name.size() <= 60000, op, "cannot write ", path.string(), ": the name ", in_quotes(name),
            " is too long");
  }
  AtomicFile file(path, op);
  std::string directory;
  for (const auto& [name, tensor] : tensors) {
    const Tensor elements = detail::npy_elements(tensor);
    const std::string_view values(static_cast<const char*>(elements.raw()), elements.bytes());
    const std::string header = detail::npy_header(elements.dtype(), elements.shape());
    const auto crc = check_sum(check_sum(0, header), values);
    const Member member{name + ".npy", file.size(), header.size() + values.size(), crc};
    file.write(member.local_header());
    file.write(header);
    file.write(values);
    directory += member.entry();
  }
  const auto start = file.size();
  file.write(directory);
  file.write(end_record(tensors.size(), start, directory.size()));
  file.commit();
}

}  // namespace fovea
