#ifndef FOVEA_CORE_DEVICE_MEMORY_H_
#define FOVEA_CORE_DEVICE_MEMORY_H_

#include <cstddef>

#include "fovea/core/device.h"

/// What core itself does with memory, wherever it lies.

namespace fovea::detail {

/// A 256-byte-aligned block on a GPU from its caching pool, to be freed with the same number of bytes. Blocks
/// are used in the order of the device's stream, so that one may be handed on at once. Throws OutOfMemory.
std::byte* device_allocate(Cuda device, std::size_t bytes);
void device_free(Cuda device, std::byte* block, std::size_t bytes) noexcept;

/// Copies bytes between devices. Waits when they go to the host; from the host they have been read when this
/// returns.
void copy_bytes(const Device& to_device, void* to, const Device& from_device, const void* from,
                std::size_t bytes);
void zero_bytes(const Device& device, void* to, std::size_t bytes);

}  // namespace fovea::detail

#endif  // FOVEA_CORE_DEVICE_MEMORY_H_
