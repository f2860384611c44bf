#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>

#include "fovea/core/cuda.h"
#include "fovea/core/staging.h"

namespace fovea::detail {
namespace {

constexpr std::size_t alignment = 256, half = std::size_t{4} << 20;

}  // namespace

void Staging::send(void* to, const void* from, std::size_t bytes, void* stream) {
  std::lock_guard lock(mutex_);
  if (!memory_) open();
  auto* target = static_cast<std::byte*>(to);
  const auto* source = static_cast<const std::byte*>(from);
  while (bytes > 0) {
    if (used_ == half) next_half(stream);
    const std::size_t part = std::min(bytes, half - used_);
    std::byte* place = memory_ + at_ * half + used_;
    std::memcpy(place, source, part);
    cuda_check(
        cudaMemcpyAsync(target, place, part, cudaMemcpyHostToDevice, static_cast<cudaStream_t>(stream)),
        "cudaMemcpyAsync");
    target += part;
    source += part;
    bytes -= part;
    used_ = std::min(half, (used_ + part + alignment - 1) / alignment * alignment);
  }
}

// What is still on its way to the GPU has left when a part comes to lie in its place: the stream keeps order.
void Staging::receive(void* to, const void* from, std::size_t bytes, void* stream) {
  std::lock_guard lock(mutex_);
  if (!memory_) open();
  const auto copy = [&](std::size_t at) {  // into one half, while the other is read
    const std::size_t k = at / half % 2;
    cuda_check(cudaMemcpyAsync(memory_ + k * half, static_cast<const std::byte*>(from) + at,
                               std::min(half, bytes - at), cudaMemcpyDeviceToHost,
                               static_cast<cudaStream_t>(stream)),
               "cudaMemcpyAsync");
    cuda_check(cudaEventRecord(static_cast<cudaEvent_t>(copied_[k]), static_cast<cudaStream_t>(stream)),
               "cudaEventRecord");
  };
  if (bytes > 0) copy(0);
  for (std::size_t at = 0; at < bytes; at += half) {
    if (at + half < bytes) copy(at + half);
    const std::size_t k = at / half % 2;
    cuda_check(cudaEventSynchronize(static_cast<cudaEvent_t>(copied_[k])), "cudaEventSynchronize");
    std::memcpy(static_cast<std::byte*>(to) + at, memory_ + k * half, std::min(half, bytes - at));
  }
}

void Staging::open() {
  void* memory = nullptr;
  cuda_check(cudaHostAlloc(&memory, 2 * half, cudaHostAllocDefault), "cudaHostAlloc");
  for (void*& event : copied_) {
    cudaEvent_t made{};
    cuda_check(cudaEventCreateWithFlags(&made, cudaEventDisableTiming), "cudaEventCreate");
    event = made;
  }
  memory_ = static_cast<std::byte*>(memory);
}

void Staging::next_half(void* stream) {
  cuda_check(cudaEventRecord(static_cast<cudaEvent_t>(copied_[at_]), static_cast<cudaStream_t>(stream)),
             "cudaEventRecord");
  at_ = 1 - at_;
  cuda_check(cudaEventSynchronize(static_cast<cudaEvent_t>(copied_[at_])), "cudaEventSynchronize");
  used_ = 0;
}

}  // namespace fovea::detail
