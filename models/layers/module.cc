#include "fovea/models/layers/module.h"

#include <algorithm>

#include "fovea/ops/create.h"

namespace fovea::detail {

void Parts::add(const std::string& name, const Tensor& t, bool trained) {
  for (Entry& e : entries)
    require(e.name != name && std::find(e.aliases.begin(), e.aliases.end(), name) == e.aliases.end(), "each",
            "two parts are named '", name, "'; give each a name of its own");
  const auto same =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.tensor.same(t); });
  if (same != entries.end()) return same->aliases.push_back(name);
  entries.push_back({name, t, trained, {}});
}

void Mover::parameter(const std::string&, Parameter& p) {
  if (p.device() == device_) return;
  p.move_into(Tensor::empty({p.numel()}, p.dtype(), device_), Tensor::empty({p.numel()}, p.dtype(), device_),
              0);
}

void Mover::on_buffer(const std::string&, Tensor& t) {
  if (is_float(t.dtype())) t = to(t, device_);  // what counts is counted on the host
}

std::vector<NamedParameter> parameters_of(const Parts& parts) {
  std::vector<NamedParameter> out;
  for (const auto& e : parts.entries)
    if (e.trained) out.push_back({e.name, Parameter::of(e.tensor)});
  return out;
}

std::vector<NamedTensor> tensors_of(const Parts& parts) {
  std::vector<NamedTensor> out;
  for (const auto& e : parts.entries) out.push_back({e.name, e.tensor});
  return out;
}

}  // namespace fovea::detail
