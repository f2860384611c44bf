#ifndef FOVEA_CORE_DEVICE_H_
#define FOVEA_CORE_DEVICE_H_

#include <ostream>
#include <string_view>
#include <variant>

namespace fovea {

/// The host processor. Kernels are overload sets on the device tag.
struct Cpu {
  bool operator==(const Cpu&) const = default;
};

/// A graphics processor, by the number that CUDA gives it. Work on it is queued on one stream, in the order
/// of the calls; reading a value on the host waits for it.
struct Cuda {
  int index = 0;
  bool operator==(const Cuda&) const = default;
};

/// Where a tensor lives. Ops call a kernel through std::visit on it, so a device without the kernel is a
/// compile error, not a run-time one. A build without CUDA knows the host alone.
#ifdef FOVEA_CUDA
using Device = std::variant<Cpu, Cuda>;
#else
using Device = std::variant<Cpu>;
#endif

inline bool is_cpu(const Device& device) { return std::holds_alternative<Cpu>(device); }

/// "cpu", "cuda:0".
std::ostream& operator<<(std::ostream& out, const Device& device);

/// The device that a word names: "cpu", "cuda" (the first), "cuda:1", or "auto": the first GPU if there is
/// one, else the host. Throws when there is no such device, saying what would bring it.
Device device_named(std::string_view name);

/// How many GPUs there are to use; 0 in a build without CUDA.
int cuda_device_count();

/// Waits until the device has done all that was asked of it. Throws what went wrong there since the last
/// wait: an index out of range is found on the device and reported here. Nothing to do for the host.
void synchronize(const Device& device);

}  // namespace fovea

#endif  // FOVEA_CORE_DEVICE_H_
