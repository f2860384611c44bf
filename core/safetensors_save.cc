#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "fovea/core/arithmetic.h"
#include "fovea/core/atomic_file.h"
#include "fovea/core/safetensors.h"

namespace fovea {
namespace {

constexpr const char* op = "safetensors";
constexpr std::size_t longest_header = 100'000'000;
constexpr const char* type_names[] = {"F32", "F64", "BF16", "I32", "U8"};  // by DType

/// As JSON writes it.
std::string text(std::string_view s, const std::filesystem::path& path) {
  try {
    return nlohmann::json(s).dump();
  } catch (const nlohmann::json::exception&) {
    fail(op, "cannot write ", path.string(), ": ", in_quotes(s), " is not UTF-8");
  }
}

/// The tensors in the order of the file, after checks.
std::vector<const NamedTensor*> ordered(std::span<const NamedTensor> tensors,
                                        const std::filesystem::path& path) {
  std::vector<const NamedTensor*> order;
  for (const auto& t : tensors) {
    const auto check = [&](bool ok, const char* problem) {
      if (!ok) fail(op, "cannot write ", path.string(), ": ", in_quotes(t.name), problem);
    };
    check(t.tensor.defined(), " is undefined");
    check(t.name != "__metadata__", " is a name that means something else");
    order.push_back(&t);
  }
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->name < b->name; });
  for (std::size_t i = 1; i < order.size(); ++i)
    require(order[i]->name != order[i - 1]->name, op, "cannot write ", path.string(),
            ": two tensors are named ", in_quotes(order[i]->name));
  std::stable_sort(order.begin(), order.end(),
                   [](auto* a, auto* b) { return size_of(a->tensor.dtype()) > size_of(b->tensor.dtype()); });
  return order;
}

std::string header_of(const std::vector<const NamedTensor*>& order, const Metadata& metadata,
                      const std::filesystem::path& path) {
  std::string out = "{";
  if (!metadata.empty()) {
    out += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) out += text(key, path) + ":" + text(value, path) + ",";
    out.back() = '}';
    out += ",";
  }
  std::uint64_t begin = 0;
  for (const auto* entry : order) {
    const auto& [name, t] = *entry;
    const std::uint64_t end = begin + t.bytes();
    out += text(name, path) + ":{\"dtype\":\"" + type_names[static_cast<int>(t.dtype())] + "\",\"shape\":[";
    for (int i = 0; i < t.rank(); ++i) out += cat(i ? "," : "", t.shape()[i]);
    out += cat("],\"data_offsets\":[", begin, ",", end, "]},");
    begin = end;
  }
  if (out.back() == ',') out.pop_back();
  out += "}";
  out.resize((out.size() + 7) / 8 * 8, ' ');
  require(out.size() <= longest_header, op, "cannot write ", path.string(), ": a header of ", out.size(),
          " bytes; the most is ", longest_header);
  return out;
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                      const Metadata& metadata) {
  const auto order = ordered(tensors, path);
  const std::string header = header_of(order, metadata, path);
  AtomicFile file(path, op);
  const std::uint64_t length[] = {header.size()};
  file.write(std::as_bytes(std::span(length)));
  file.write(header);
  for (const NamedTensor* t : order) {
    const Tensor elements = detail::on_host(t->tensor);
    file.write({static_cast<const std::byte*>(elements.raw()), elements.bytes()});
  }
  file.commit();
}

}  // namespace fovea
