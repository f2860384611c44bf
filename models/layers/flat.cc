#include "fovea/models/layers/flat.h"

#include "fovea/core/device_memory.h"
#include "fovea/ops/create.h"

namespace fovea {

FlatParameters flatten(const std::vector<NamedParameter>& parameters) {
  require(!parameters.empty(), "flatten", "the model has no parameters");
  const DType dtype = parameters[0].parameter.dtype();
  const Index unit = 64 / static_cast<Index>(size_of(dtype));
  FlatParameters flat;
  Index n = 0;
  for (const auto group : {FlatParameters::weights, FlatParameters::vectors})
    for (const auto& [name, p] : parameters) {
      require(p.dtype() == dtype, "flatten", "'", name, "' is ", p.dtype(), " and '", parameters[0].name,
              "' ", dtype, "; flatten them apart");
      if ((p.rank() >= 2 ? FlatParameters::weights : FlatParameters::vectors) != group) continue;
      flat.segments.push_back({name, p, n, p.numel(), group, 1});
      n += (p.numel() + unit - 1) / unit * unit;
    }
  const Device device = parameters[0].parameter.device();
  flat.values = zeros({n}, dtype, device);
  flat.gradients = zeros({n}, dtype, device);
  for (auto& s : flat.segments) s.parameter.move_into(flat.values, flat.gradients, s.offset);
  return flat;
}

void FlatParameters::zero_gradients() const {
  detail::zero_bytes(gradients.device(), static_cast<std::byte*>(const_cast<void*>(gradients.raw())),
                     gradients.bytes());
}

void FlatParameters::check_current(const char* op) const {
  const auto* start = static_cast<const std::byte*>(values.raw());
  for (const Segment& s : segments)
    require(s.parameter.raw() == start + s.offset * static_cast<Index>(size_of(values.dtype())), op, "'",
            s.name,
            "' has been flattened again; use the newer FlatParameters, or flatten a model once for all its "
            "users");
}

}  // namespace fovea
