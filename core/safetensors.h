#ifndef FOVEA_CORE_SAFETENSORS_H_
#define FOVEA_CORE_SAFETENSORS_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/byte_reader.h"
#include "fovea/core/mapped_file.h"
#include "fovea/core/named_tensor.h"

/// Safetensors, the format of weights: https://huggingface.co/docs/safetensors
///
///     u64 N | N bytes of JSON {"name": {"dtype": "F32", "shape": [2,3], "data_offsets": [0,24]}, ...} |
///     elements
///
/// A file is read strictly: the JSON is at most 100,000,000 bytes and has no key twice, and the tensors fill
/// the rest of the file without gap or overlap. Every error is Error and names file, field and offset.

namespace fovea {

/// Free text about a file: its `__metadata__`.
using Metadata = std::map<std::string, std::string>;

/// A safetensors file open for reading. Copies share the mapping; tensors taken from it outlive it.
class SafetensorsFile {
 public:
  /// Maps the file and checks all of its header.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_->path(); }
  /// The tensors' names, sorted.
  std::vector<std::string> names() const;
  const Metadata& metadata() const { return metadata_; }
  bool contains(std::string_view name) const { return entries_.find(name) != entries_.end(); }

  /// Throw when there is no such tensor, or none of a shape or type that Fovea has.
  Shape shape(std::string_view name) const;
  /// The type that get() gives it.
  DType dtype(std::string_view name) const;
  /// The type as the file spells it: "F32", "F8_E4M3" ...
  const std::string& stored_dtype(std::string_view name) const { return entry(name).dtype; }

  /// The tensor. F32, F64, BF16, I32, U8 and BOOL (to u8) lie in the mapped file, which stays mapped as long
  /// as the tensor lives; changing it does not change the file. They are copied only when the file has them
  /// at an address unfit for their type. F16 becomes f32 and I64 becomes i32; an I64 element that does not
  /// fit throws, as does a BOOL that is neither 0 nor 1, and any other type.
  Tensor get(std::string_view name) const;

  /// An entry of the header. `begin` and `end` count from the first byte after it.
  struct Entry {
    std::string dtype;
    std::vector<std::uint64_t> shape;
    std::uint64_t begin = 0, end = 0;
    std::uint64_t offset = 0;  ///< of the entry itself, for messages
  };

 private:
  const Entry& entry(std::string_view name) const;
  ByteReader reader() const;

  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, Entry, std::less<>> entries_;
  Metadata metadata_;
  std::uint64_t data_offset_ = 0;
};

/// Writes tensors of any device (f32, f64, bf16, i32, u8; strided views too) under distinct names. The old
/// file is replaced only by a complete new one: see AtomicFile. The same tensors make the same bytes, in
/// whatever order they come: they are put in order of falling element size, then by name, so that all are
/// aligned.
void save_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                      const Metadata& metadata = {{"format", "pt"}});
inline void save_safetensors(const std::filesystem::path& path, std::initializer_list<NamedTensor> tensors,
                             const Metadata& metadata = {{"format", "pt"}}) {
  save_safetensors(path, std::span(tensors.begin(), tensors.size()), metadata);
}

}  // namespace fovea

#endif  // FOVEA_CORE_SAFETENSORS_H_
