#ifndef FOVEA_CORE_ARENA_H_
#define FOVEA_CORE_ARENA_H_

#include <cstddef>
#include <memory>
#include <vector>

namespace fovea::detail {

/// A bump allocator: memory is handed out in order and taken back all at once, or back to a mark.
class Arena {
 public:
  struct Mark {
    std::size_t chunk = 0;
    std::size_t used = 0;
  };

  /// `alignment` is a power of two, at most 64.
  void* allocate(std::size_t bytes, std::size_t alignment) {
    std::size_t start = (used_ + alignment - 1) & ~(alignment - 1);
    if (chunk_ == chunks_.size() || start + bytes > chunks_[chunk_].bytes) [[unlikely]] {
      next_chunk(bytes);
      start = 0;
    }
    used_ = start + bytes;
    return chunks_[chunk_].memory.get() + start;
  }

  Mark mark() const { return {chunk_, used_}; }
  void rewind(Mark m) {
    chunk_ = m.chunk;
    used_ = m.used;
  }
  /// Empties it, keeping at most `spare` chunks for the next use.
  void clear(std::size_t spare) {
    rewind({});
    if (chunks_.size() > spare) chunks_.resize(spare);
  }

 private:
  static constexpr std::size_t chunk_bytes = std::size_t{1} << 16;
  struct Free {
    void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{64}); }
  };
  struct Chunk {
    std::unique_ptr<std::byte[], Free> memory;
    std::size_t bytes = 0;
  };

  void next_chunk(std::size_t bytes) {
    if (chunk_ < chunks_.size()) ++chunk_;
    while (chunk_ < chunks_.size() && chunks_[chunk_].bytes < bytes) ++chunk_;
    if (chunk_ == chunks_.size()) {
      const std::size_t size = bytes > chunk_bytes ? bytes : chunk_bytes;
      auto* memory = static_cast<std::byte*>(::operator new[](size, std::align_val_t{64}));
      chunks_.push_back({std::unique_ptr<std::byte[], Free>(memory), size});
    }
    used_ = 0;
  }

  std::vector<Chunk> chunks_;
  std::size_t chunk_ = 0;
  std::size_t used_ = 0;
};

}  // namespace fovea::detail

#endif  // FOVEA_CORE_ARENA_H_
