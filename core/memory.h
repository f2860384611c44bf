#ifndef FOVEA_CORE_MEMORY_H_
#define FOVEA_CORE_MEMORY_H_

#include <cstddef>

#include "fovea/core/device.h"

/// The caching CPU pool. Every thread keeps freelists by size class, so allocating takes no lock and the same
/// sequence of requests gets the same addresses. A block freed on another thread goes to that thread's lists;
/// a thread that ends leaves its lists to the others. So memory does not stay flat where one thread makes
/// tensors and another lets go of them: hand them back, as Loader does.
///
/// A GPU has one such pool for all threads; the functions on it take the Cuda tag.

namespace fovea {

/// Bytes in a device's pool. On the host over all threads, where `peak` is exact while one thread allocates
/// and an upper bound (the sum of the threads' peaks) otherwise.
struct MemoryStats {
  std::size_t allocated = 0;  ///< held by live tensors
  std::size_t reserved = 0;   ///< taken from the system: allocated plus cached
  std::size_t peak = 0;       ///< the most that `allocated` has been since the last reset_peak_memory()
};

MemoryStats memory_stats(Cpu = {});
MemoryStats memory_stats(Cuda device);

/// Makes `peak` start again from what is allocated now.
void reset_peak_memory(Cpu = {});
void reset_peak_memory(Cuda device);

/// Gives cached blocks back to the system: on the host those of this thread and of threads that have ended.
void release_cached_memory(Cpu = {});
void release_cached_memory(Cuda device);

/// A cap on reserved bytes; an allocation that would pass it throws OutOfMemory. 0 means no cap.
void set_memory_limit(std::size_t bytes, Cpu = {});
void set_memory_limit(std::size_t bytes, Cuda device);

namespace detail {

/// Rounds a size up to its class: powers of two up to 4 KiB, then four classes an octave.
int size_class_of(std::size_t bytes);
std::size_t class_bytes(int size_class);

/// A 64-byte-aligned block, to be freed with size_class_of(bytes). Throws OutOfMemory.
void* pool_allocate(std::size_t bytes);
void pool_free(void* block, int size_class) noexcept;

}  // namespace detail
}  // namespace fovea

#endif  // FOVEA_CORE_MEMORY_H_
