#include "fovea/models/layers/weights_file.h"

#include <algorithm>
#include <map>
#include <utility>

#include "fovea/core/nearest.h"
#include "fovea/ops/create.h"

namespace fovea::detail {
namespace {

std::string listed(const char* what, const std::vector<std::string>& names, const char* separator) {
  std::string out;
  for (const std::string& n : names) out += (out.empty() ? std::string("\n  ") + what + ": " : separator) + n;
  return out;
}

/// The missing names, each with the one that may be meant. Few are compared: a hostile file has millions.
std::vector<std::string> explained(const LoadReport& report) {
  constexpr std::size_t most = 100;
  const std::span unexpected(report.unexpected.data(), std::min(most, report.unexpected.size()));
  std::vector<std::string> out;
  for (const std::string& name : report.missing) {
    const std::string* other = out.size() < most ? nearest(name, unexpected) : nullptr;
    out.push_back(other ? cat(name, " (the nearest there is ", *other, ")") : name);
  }
  return out;
}

bool fits(const Tensor& to, const Tensor& from) {
  return to.shape() == from.shape() &&
         (to.dtype() == from.dtype() || (is_float(to.dtype()) && is_float(from.dtype())));
}

}  // namespace

LoadReport load_tensors(const Parts& parts, std::span<const NamedTensor> tensors, bool strict,
                        const std::string& source) {
  std::map<std::string, Tensor> left;
  for (const NamedTensor& t : tensors) left.emplace(t.name, t.tensor);
  LoadReport report;
  std::vector<std::pair<Tensor, Tensor>> copies;
  for (const Parts::Entry& entry : parts.entries) {
    Tensor from;
    std::vector<std::string> names{entry.name};
    names.insert(names.end(), entry.aliases.begin(), entry.aliases.end());
    for (const std::string& name : names)
      if (auto found = left.extract(name); found && !from.defined()) from = found.mapped();
    const Tensor& to = entry.tensor;
    if (!from.defined())
      report.missing.push_back(entry.name);
    else if (!fits(to, from))
      report.mismatched.push_back(cat(entry.name, ": ", to.shape(), ' ', to.dtype(), " in the model, ",
                                      from.shape(), ' ', from.dtype(), " in the source"));
    else
      copies.emplace_back(to, from);
  }
  for (const auto& [name, tensor] : left) report.unexpected.push_back(name);
  if (strict && !report.ok())
    fail("load", source, " does not fit; was it saved with the same settings?",
         listed("missing", explained(report), ", "), listed("unexpected", report.unexpected, ", "),
         listed("mismatched", report.mismatched, "; "));
  for (auto& [to, from] : copies) assign(to, from);
  return report;
}

LoadReport load_parameters(const Parts& parts, const std::filesystem::path& path, bool strict) {
  const SafetensorsFile file(path);
  std::vector<NamedTensor> tensors;
  for (const std::string& name : file.names()) tensors.push_back({name, file.get(name)});
  return load_tensors(parts, tensors, strict, path.string());
}

}  // namespace fovea::detail
