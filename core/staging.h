#ifndef FOVEA_CORE_STAGING_H_
#define FOVEA_CORE_STAGING_H_

#include <array>
#include <cstddef>
#include <mutex>

namespace fovea::detail {

/// Pinned memory through which bytes go to a GPU while it works, and come back: a copy from other memory
/// would wait for all that is queued, one to it goes through memory of CUDA's at half the speed. It serves
/// one stream. Only in CUDA builds.
class Staging {
 public:
  /// Queues a copy on a stream (a cudaStream_t); `from` has been read when this returns.
  void send(void* to, const void* from, std::size_t bytes, void* stream);
  /// Copies to the host, after all that is queued, and waits.
  void receive(void* to, const void* from, std::size_t bytes, void* stream);

 private:
  void open();
  void next_half(void* stream);

  std::mutex mutex_;
  std::byte* memory_ = nullptr;    // two halves, each filled again when what it held has been copied
  std::array<void*, 2> copied_{};  // the events that say so
  std::size_t at_ = 0, used_ = 0;
};

}  // namespace fovea::detail

#endif  // FOVEA_CORE_STAGING_H_
