#include "fovea/core/memory.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "fovea/core/error.h"
#include "fovea/core/poison.h"

namespace fovea {
namespace {

constexpr int classes = 192;
constexpr int small_classes = 7;  // 64, 128, ..., 4096 bytes

struct FreeBlock {
  FreeBlock* next;
};
using FreeLists = std::array<FreeBlock*, classes>;

class ThreadPool;

// What all threads share: who is alive, and what the dead have left.
struct Registry {
  std::mutex mutex;
  std::vector<ThreadPool*> pools;
  FreeLists orphans{};
  std::ptrdiff_t orphan_allocated = 0, orphan_peak = 0;
  std::atomic<std::ptrdiff_t> reserved{0};
  std::atomic<std::size_t> limit{0};
};

Registry& registry() {
  static Registry* r = new Registry;  // never destroyed: static tensors may outlive any destructor order
  return *r;
}

std::ptrdiff_t bytes_of(int size_class) {
  return static_cast<std::ptrdiff_t>(detail::class_bytes(size_class));
}

void free_list(FreeBlock*& head, int size_class) {
  while (head) {
    FreeBlock* next = head->next;
    std::free(head);
    head = next;
    registry().reserved -= bytes_of(size_class);
  }
}

// A number that one thread changes and others look at, where a slightly old value does no harm.
class Count {
 public:
  operator std::ptrdiff_t() const { return value_.load(std::memory_order_relaxed); }
  Count& operator=(std::ptrdiff_t n) {
    value_.store(n, std::memory_order_relaxed);
    return *this;
  }
  Count& operator+=(std::ptrdiff_t n) { return *this = *this + n; }  // not atomic as a whole: costs nothing

 private:
  std::atomic<std::ptrdiff_t> value_{0};
};

// Set when this thread's pool is gone, so that a tensor destroyed later still finds a way.
thread_local bool pool_is_gone = false;

class ThreadPool {
 public:
  ThreadPool() {
    std::lock_guard lock(registry().mutex);
    registry().pools.push_back(this);
  }

  ~ThreadPool() {
    pool_is_gone = true;
    std::lock_guard lock(registry().mutex);
    std::erase(registry().pools, this);
    registry().orphan_allocated += allocated;
    registry().orphan_peak += peak;
    for (int c = 0; c < classes; ++c) {
      FreeBlock*& head = lists_[static_cast<std::size_t>(c)];
      while (head) {
        FreeBlock* block = head;
        head = block->next;
        block->next = registry().orphans[static_cast<std::size_t>(c)];
        registry().orphans[static_cast<std::size_t>(c)] = block;
      }
    }
  }

  void* allocate(int size_class) {
    FreeBlock*& head = lists_[static_cast<std::size_t>(size_class)];
    void* block = head;
    if (head) [[likely]]
      head = head->next;
    else
      block = refill(size_class);
    detail::unpoison(block, detail::class_bytes(size_class));
    allocated += bytes_of(size_class);
    if (allocated > peak) peak = std::ptrdiff_t{allocated};
    return block;
  }

  void free(void* block, int size_class) noexcept {
    FreeBlock*& head = lists_[static_cast<std::size_t>(size_class)];
    detail::unpoison(block, sizeof(FreeBlock));
    head = new (block) FreeBlock{head};
    detail::poison(block, sizeof(FreeBlock), detail::class_bytes(size_class));
    allocated += -bytes_of(size_class);
  }

  void release() {
    for (int c = 0; c < classes; ++c) free_list(lists_[static_cast<std::size_t>(c)], c);
  }

  // Written by this thread; others read them for the statistics and restart the peak.
  Count allocated, peak;

 private:
  void* refill(int size_class) {
    Registry& r = registry();
    {
      std::lock_guard lock(r.mutex);
      FreeBlock*& orphan = r.orphans[static_cast<std::size_t>(size_class)];
      if (orphan) {
        FreeBlock* block = orphan;
        orphan = block->next;
        return block;
      }
    }
    if (void* block = from_system(size_class)) return block;
    release_cached_memory();
    if (void* block = from_system(size_class)) return block;
    const MemoryStats s = memory_stats();
    const auto bytes = detail::class_bytes(size_class);
    throw OutOfMemory(cat("[memory] cannot allocate ", bytes, " bytes; live tensors hold ", s.allocated,
                          ", at most ", s.peak, " so far; use a smaller batch or shorter sequences"),
                      bytes, s.allocated, s.peak);
  }

  static void* from_system(int size_class) {
    Registry& r = registry();
    const auto bytes = bytes_of(size_class);
    const auto limit = static_cast<std::ptrdiff_t>(r.limit.load());
    if (limit && r.reserved.load() + bytes > limit) return nullptr;
    void* block = std::aligned_alloc(64, static_cast<std::size_t>(bytes));
    if (block) r.reserved += bytes;
    return block;
  }

  FreeLists lists_{};
};

ThreadPool& pool() {
  thread_local ThreadPool p;
  return p;
}

}  // namespace

int detail::size_class_of(std::size_t bytes) {
  if (bytes <= 64) return 0;
  if (bytes <= 4096) return static_cast<int>(std::bit_width(bytes - 1)) - 6;
  const int octave = static_cast<int>(std::bit_width(bytes - 1)) - 1;  // 2^octave < bytes <= 2^(octave+1)
  const auto quarter = (bytes - 1 - (std::size_t{1} << octave)) >> (octave - 2);
  return small_classes + (octave - 12) * 4 + static_cast<int>(quarter);
}

std::size_t detail::class_bytes(int size_class) {
  if (size_class < small_classes) return std::size_t{64} << size_class;
  const int octave = 12 + (size_class - small_classes) / 4;
  return (std::size_t{1} << octave) +
         (static_cast<std::size_t>((size_class - small_classes) % 4 + 1) << (octave - 2));
}

void* detail::pool_allocate(std::size_t bytes) {
  const int size_class = size_class_of(bytes);
  if (size_class >= classes)
    throw OutOfMemory("[memory] a single tensor of 2^58 bytes or more", class_bytes(size_class),
                      memory_stats().allocated, memory_stats().peak);
  if (pool_is_gone) return std::aligned_alloc(64, class_bytes(size_class));
  void* block = pool().allocate(size_class);
  poison(block, bytes, class_bytes(size_class));
  return block;
}

void detail::pool_free(void* block, int size_class) noexcept {
  if (pool_is_gone)
    std::free(block);
  else
    pool().free(block, size_class);
}

MemoryStats memory_stats(Cpu) {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  std::ptrdiff_t allocated = r.orphan_allocated, peak = r.orphan_peak;
  for (const ThreadPool* p : r.pools) {
    allocated += p->allocated;
    peak += p->peak;
  }
  auto size = [](std::ptrdiff_t n) { return static_cast<std::size_t>(std::max<std::ptrdiff_t>(n, 0)); };
  return {size(allocated), size(r.reserved), size(peak)};
}

void reset_peak_memory(Cpu) {
  std::lock_guard lock(registry().mutex);
  registry().orphan_peak = registry().orphan_allocated;
  for (ThreadPool* p : registry().pools) p->peak = std::ptrdiff_t{p->allocated};
}

void release_cached_memory(Cpu) {
  if (!pool_is_gone) pool().release();
  std::lock_guard lock(registry().mutex);
  for (int c = 0; c < classes; ++c) free_list(registry().orphans[static_cast<std::size_t>(c)], c);
}

void set_memory_limit(std::size_t bytes, Cpu) { registry().limit = bytes; }

}  // namespace fovea
