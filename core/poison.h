#ifndef FOVEA_CORE_POISON_H_
#define FOVEA_CORE_POISON_H_

#include <cstddef>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

/// To the address sanitizer the pool's blocks are live memory from end to end. These mark what nothing may
/// touch: a cached block, and what a block has beyond what was asked for. They do nothing in other builds.

namespace fovea::detail {

inline void poison([[maybe_unused]] void* block, [[maybe_unused]] std::size_t from,
                   [[maybe_unused]] std::size_t to) {
#ifdef __SANITIZE_ADDRESS__
  if (from < to) __asan_poison_memory_region(static_cast<std::byte*>(block) + from, to - from);
#endif
}

inline void unpoison([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(block, bytes);
#endif
}

}  // namespace fovea::detail

#endif  // FOVEA_CORE_POISON_H_
