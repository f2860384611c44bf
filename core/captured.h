#ifndef FOVEA_CORE_CAPTURED_H_
#define FOVEA_CORE_CAPTURED_H_

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "fovea/core/device.h"

namespace fovea {

namespace detail {
/// What a captured step holds. The blocks it has taken stay its own, because every replay writes to them
/// again.
struct CapturedStep {
  std::array<std::vector<std::byte*>, 192> lists;  // free, by size class
  std::vector<std::byte*> blocks;                  // all
  struct Input {
    std::size_t offset;
    std::function<void(void*)> fill;
  };
  std::vector<Input> inputs;
  std::size_t used = 0;
  std::vector<std::byte> host;  // what `fill` writes
  std::byte* device = nullptr;  // where it is copied before every replay
};

#ifdef FOVEA_CUDA
bool being_captured(const Device& device);
void* add_captured_input(const Device& device, std::size_t bytes, std::function<void(void* host)> fill);
#else
constexpr bool being_captured(const Device&) { return false; }
inline void* add_captured_input(const Device&, std::size_t, std::function<void(void*)>) { return nullptr; }
#endif

/// Room on the device for what a step takes from the host each time (a learning rate, a place in a random
/// sequence), while that step is being captured: before every replay `fill` writes it, one after the other in
/// the order of these calls. Null when nothing is being captured.
template <class Fill>
void* captured_input(const Device& device, std::size_t bytes, Fill&& fill) {
  return being_captured(device) ? add_captured_input(device, bytes, std::forward<Fill>(fill)) : nullptr;
}
}  // namespace detail

/// A step (forward, backward and update, say) recorded once as a CUDA graph and then replayed: the processor
/// queues one thing instead of hundreds.
///
///     train(batch);                                   // once as usual, so that everything lazy has happened
///     Captured step(Cuda{}, [&] { train(batch); });   // records, does not run
///     for (...) { copy the next batch into `batch`; step(); }
///
/// Shapes and buffers are fixed: tensors the step reads must stay where they are, and what it makes is
/// overwritten by the next replay. Optimizers go on counting and generators drawing as if the step had been
/// run; they must outlive it. No other thread may use the device meanwhile. Reading a
/// value on the host inside the step throws. Needs a CUDA build.
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
