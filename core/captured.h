#ifndef FOVEA_CORE_CAPTURED_H_
#define FOVEA_CORE_CAPTURED_H_

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "fovea/core/device.h"

namespace fovea {

namespace detail {
/// The blocks that a captured step has taken: they stay its own, because every replay writes to them again.
struct CapturedMemory {
  std::array<std::vector<std::byte*>, 192> lists;  // free, by size class
  std::vector<std::byte*> blocks;                  // all
};
}  // namespace detail

/// A step (forward, backward and update, say) recorded once as a CUDA graph and then replayed: the processor
/// queues one thing instead of hundreds.
///
///     train(batch);                                   // once as usual, so that everything lazy has happened
///     Captured step(Cuda{}, [&] { train(batch); });   // records, does not run
///     for (...) { copy the next batch into `batch`; step(); }
///
/// Shapes and buffers are fixed: tensors the step reads must stay where they are, and what it makes is
/// overwritten by the next replay. Reading a value on the host inside the step throws. Needs a CUDA build.
class Captured {
 public:
  Captured(Cuda device, const std::function<void()>& step);
  ~Captured();
  Captured(Captured&&) noexcept;
  Captured& operator=(Captured&&) noexcept;

  /// Queues the step once more.
  void operator()() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea

#endif  // FOVEA_CORE_CAPTURED_H_
