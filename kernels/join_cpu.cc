#include <cstring>

#include "fovea/kernels/join.h"

namespace fovea {

void join(Cpu, std::span<const View> parts, const View& to) {
  auto* at = to.as<std::byte>();
  for (const View& part : parts) {
    const std::size_t bytes = static_cast<std::size_t>(part.numel()) * size_of(part.dtype);
    if (bytes > 0) std::memcpy(at, part.data, bytes);
    at += bytes;
  }
}

}  // namespace fovea
