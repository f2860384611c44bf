#include "fovea/core/device.h"

#include <charconv>
#include <cstring>

#include "fovea/core/device_memory.h"
#include "fovea/core/error.h"

// What of devices a build without CUDA needs too; core/device_cuda.cc has the rest.

namespace fovea {

std::ostream& operator<<(std::ostream& out, [[maybe_unused]] const Device& device) {
#ifdef FOVEA_CUDA
  if (const auto* cuda = std::get_if<Cuda>(&device)) return out << "cuda:" << cuda->index;
#endif
  return out << "cpu";
}

Device device_named(std::string_view name) {
  const int count = name == "cpu" ? 0 : cuda_device_count();
  if (name == "cpu" || (name == "auto" && count == 0)) return Cpu{};
  int index = 0;
  constexpr std::string_view numbered = "cuda:";
  bool known = name == "auto" || name == "cuda";
  if (name.starts_with(numbered)) {
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + numbered.size(), end, index);
    known = error == std::errc() && stop == end && index >= 0;
  }
  require(known, "device", "'", name, "' is no device; say auto, cpu, cuda, or cuda:1 for the second GPU");
#ifdef FOVEA_CUDA
  require(index < count, "device", "'", name, "' is not there: CUDA finds ", count,
          count == 1 ? " GPU" : " GPUs");
  return Cuda{index};
#else
  fail("device", "'", name, "' needs a build with CUDA; this one knows the host alone (configure with ",
       "-DFOVEA_CUDA=ON)");
#endif
}

#ifndef FOVEA_CUDA
int cuda_device_count() { return 0; }
void synchronize(const Device&) {}

void detail::copy_bytes(const Device&, void* to, const Device&, const void* from, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}
void detail::zero_bytes(const Device&, void* to, std::size_t bytes) {
  if (bytes > 0) std::memset(to, 0, bytes);
}
#endif

}  // namespace fovea
