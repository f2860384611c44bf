#ifndef FOVEA_CORE_DEVICE_H_
#define FOVEA_CORE_DEVICE_H_

#include <ostream>
#include <variant>

namespace fovea {

/// The host processor. Kernels are overload sets on the device tag.
struct Cpu {
  bool operator==(const Cpu&) const = default;
};

/// Where a tensor lives. Ops call a kernel through std::visit on it, so a device without the kernel is a
/// compile error, not a run-time one.
using Device = std::variant<Cpu>;

inline std::ostream& operator<<(std::ostream& out, const Device&) { return out << "cpu"; }

}  // namespace fovea

#endif  // FOVEA_CORE_DEVICE_H_
