#include "tests/cuda_emulation/cuda_runtime.h"

#include <ucontext.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "fovea/core/dtype.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace fovea::emulation {

struct Graph {
  std::vector<std::function<void()>> work;
};
struct Stream {
  std::unique_ptr<Graph> captured;
};

namespace {

constexpr std::size_t stack_bytes = 256 * 1024;

// A thread of a block. It runs on a fiber's stack until it ends or waits.
struct Thread {
  enum { ready, at_block_barrier, at_warp_barrier, done } state = ready;
  unsigned mask = 0;  // of the warp barrier it waits at
  int fiber = -1;
  alignas(16) unsigned char value[32];  // of the exchange it takes part in
};

class Block;
thread_local Block* running = nullptr;

// Switching between fibers, which the address sanitizer wants to be told of.
struct Fiber {
  ucontext_t context;
  std::unique_ptr<unsigned char[]> stack{new unsigned char[stack_bytes]};
};

class Block {
 public:
  // Every thread of one block after the other; those that do not wait for others share one fiber.
  void run(const std::function<void()>& body, int threads, std::size_t shared) {
    body_ = &body;
    threads_.assign(static_cast<std::size_t>(threads), {});
    shared_.assign(shared / sizeof(shared_[0]) + 1, {});
    Block* before = std::exchange(running, this);
    const dim3 outer = threadIdx;
    std::size_t left = threads_.size();
    while (left > 0) {
      bool moved = false;
      for (std::size_t i = 0; i < threads_.size(); ++i) {
        if (threads_[i].state != Thread::ready) continue;
        moved = true;
        resume(i);
        if (threads_[i].state == Thread::done) --left;
      }
      moved |= open_barriers();
      if (!moved && left > 0) {
        running = before;
        throw std::logic_error("emulated CUDA: threads of a block wait for others that never come");
      }
    }
    threadIdx = outer;
    running = before;
  }

  void wait(int state, unsigned mask = 0) {
    Thread& t = threads_[current_];
    t.state = state == 0 ? Thread::at_block_barrier : Thread::at_warp_barrier;
    t.mask = mask;
    to_scheduler(false);
  }

  unsigned char* value(std::size_t lane) { return threads_.at(current_ / 32 * 32 + lane).value; }
  unsigned char* own_value() { return threads_[current_].value; }
  void* shared() { return shared_.data(); }

 private:
  struct alignas(128) Line {
    unsigned char bytes[128];
  };

  bool open_barriers() {
    bool moved = false, all = true, any = false;
    for (const Thread& t : threads_) {
      all &= t.state == Thread::at_block_barrier || t.state == Thread::done;
      any |= t.state == Thread::at_block_barrier;
    }
    if (all && any) {
      for (Thread& t : threads_)
        if (t.state == Thread::at_block_barrier) t.state = Thread::ready;
      return true;
    }
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      if (threads_[i].state != Thread::at_warp_barrier) continue;
      const std::size_t first = i / 32 * 32;
      const unsigned mask = threads_[i].mask;
      bool complete = true;
      for (std::size_t lane = 0; lane < 32 && first + lane < threads_.size(); ++lane)
        if (mask >> lane & 1)
          complete &= threads_[first + lane].state == Thread::done ||
                      (threads_[first + lane].state == Thread::at_warp_barrier &&
                       threads_[first + lane].mask == mask);
      if (!complete) continue;
      for (std::size_t lane = 0; lane < 32 && first + lane < threads_.size(); ++lane)
        if (mask >> lane & 1 && threads_[first + lane].state == Thread::at_warp_barrier)
          threads_[first + lane].state = Thread::ready;
      moved = true;
    }
    return moved;
  }

  static void enter() {
    Block* block = running;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &block->scheduler_stack_, &block->scheduler_size_);
#endif
    for (;;) {
      (*block->body_)();
      block->threads_[block->current_].state = Thread::done;
      block->to_scheduler(true);
    }
  }

  void resume(std::size_t i) {
    Thread& t = threads_[i];
    if (t.fiber < 0) {
      if (free_.empty()) {
        fibers_.push_back(std::make_unique<Fiber>());
        Fiber& f = *fibers_.back();
        getcontext(&f.context);
        f.context.uc_stack.ss_sp = f.stack.get();
        f.context.uc_stack.ss_size = stack_bytes;
        f.context.uc_link = nullptr;
        makecontext(&f.context, &Block::enter, 0);
        free_.push_back(static_cast<int>(fibers_.size()) - 1);
      }
      t.fiber = free_.back();
      free_.pop_back();
    }
    current_ = i;
    threadIdx = dim3(static_cast<unsigned>(i), 0, 0);
    Fiber& f = *fibers_[static_cast<std::size_t>(t.fiber)];
    current_fiber_ = &f;
#if defined(__SANITIZE_ADDRESS__)
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, f.stack.get(), stack_bytes);
#endif
    swapcontext(&scheduler_, &f.context);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
    if (t.state == Thread::done) free_.push_back(t.fiber);
  }

  void to_scheduler(bool) {
#if defined(__SANITIZE_ADDRESS__)
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, scheduler_stack_, scheduler_size_);
#endif
    swapcontext(&current_fiber_->context, &scheduler_);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake, &scheduler_stack_, &scheduler_size_);
#endif
  }

  const std::function<void()>* body_ = nullptr;
  std::vector<Thread> threads_;
  std::vector<Line> shared_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<int> free_;
  std::size_t current_ = 0;
  Fiber* current_fiber_ = nullptr;
  ucontext_t scheduler_;
  const void* scheduler_stack_ = nullptr;
  std::size_t scheduler_size_ = 0;
};

thread_local cudaError_t last_error = cudaSuccess;

cudaError_t result(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

}  // namespace

void block_barrier() { running->wait(0); }
void warp_barrier(unsigned mask) { running->wait(1, mask); }
void* dynamic_shared() { return running->shared(); }

void* exchange(const void* value, std::size_t bytes, unsigned mask, int from_lane) {
  std::memcpy(running->own_value(), value, bytes);
  warp_barrier(mask);
  return running->value(static_cast<std::size_t>(from_lane));
}

unsigned ballot(unsigned mask, bool yes) {
  unsigned votes = 0;
  for (int lane = 0; lane < 32; ++lane)
    if (mask >> lane & 1) votes |= (shuffle(mask, yes ? 1u : 0u, lane) & 1u) << lane;
  return votes;
}

namespace {
// What every lane of the warp gives.
template <class T>
std::array<T, 32> of_all_lanes(const T& value) {
  static_assert(sizeof(T) <= sizeof(Thread::value));
  std::array<T, 32> all;
  exchange(&value, sizeof(T), 0xffffffffu, 0);
  for (std::size_t lane = 0; lane < 32; ++lane) std::memcpy(&all[lane], running->value(lane), sizeof(T));
  warp_barrier(0xffffffffu);
  return all;
}

// The first (n = 0) or the second of two bf16 in a word.
float part(std::uint32_t pair, std::size_t n) {
  return static_cast<float>(std::bit_cast<bf16>(static_cast<std::uint16_t>(pair >> 16 * n)));
}
}  // namespace

void multiply_add(float (&sums)[4], const std::uint32_t (&left)[4], std::uint32_t b0, std::uint32_t b1) {
  struct Factors {
    std::uint32_t a[4], b[2];
  };
  const auto all = of_all_lanes(Factors{{left[0], left[1], left[2], left[3]}, {b0, b1}});
  const auto g = static_cast<std::size_t>(lane() / 4), t = static_cast<std::size_t>(lane() % 4);
  for (std::size_t n = 0; n < 4; ++n) {
    const std::size_t row = g + 8 * (n / 2), column = 2 * t + n % 2;
    double sum = 0;
    for (std::size_t k = 0; k < 16; ++k) {
      const std::size_t other = k % 8 / 2;  // the lane of its four that holds k
      sum += static_cast<double>(part(all[row % 8 * 4 + other].a[row / 8 + 2 * (k / 8)], k % 2)) *
             static_cast<double>(part(all[column * 4 + other].b[k / 8], k % 2));
    }
    sums[n] = static_cast<float>(static_cast<double>(sums[n]) + sum);
  }
}

void multiply_add(float (&sums)[4], const float (&left)[4], float b0, float b1) {
  struct Factors {
    float a[4], b[2];
  };
  const auto all = of_all_lanes(Factors{{left[0], left[1], left[2], left[3]}, {b0, b1}});
  const auto g = static_cast<std::size_t>(lane() / 4), t = static_cast<std::size_t>(lane() % 4);
  for (std::size_t n = 0; n < 4; ++n) {
    const std::size_t row = g + 8 * (n / 2), column = 2 * t + n % 2;
    double sum = 0;
    for (std::size_t k = 0; k < 8; ++k)
      sum += static_cast<double>(all[row % 8 * 4 + k % 4].a[row / 8 + 2 * (k / 4)]) *
             static_cast<double>(all[column * 4 + k % 4].b[k / 4]);
    sums[n] = static_cast<float>(static_cast<double>(sums[n]) + sum);
  }
}

float tf32(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return std::isfinite(x) ? std::bit_cast<float>((bits + 0x1000u) & ~0x1fffu) : x;
}

void require_aligned(const void* address, int bytes) {
  if (reinterpret_cast<std::uintptr_t>(address) % static_cast<std::uintptr_t>(bytes) != 0)
    throw std::logic_error("emulated CUDA: an access of several elements is not aligned");
}

void load_matrices(std::uint32_t (&to)[4], const void* row, bool turned) {
  require_aligned(row, 16);
  const auto rows = of_all_lanes(row);
  const auto g = static_cast<std::size_t>(lane() / 4), t = static_cast<std::size_t>(lane() % 4);
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint16_t x[2];
    for (std::size_t n = 0; n < 2; ++n) {
      const std::size_t r = turned ? 2 * t + n : g, c = turned ? g : 2 * t + n;
      std::memcpy(&x[n], static_cast<const unsigned char*>(rows[8 * i + r]) + 2 * c, 2);
    }
    to[i] = x[0] | static_cast<std::uint32_t>(x[1]) << 16;
  }
}

void launch(Stream* stream, const dim3& blocks, int threads, std::size_t shared,
            std::function<void()> thread) {
  if (threads > 1024 || threads < 1 || blocks.x == 0 || blocks.y > 65535 || blocks.z > 65535 ||
      shared > 227 * 1024) {
    result(cudaErrorInvalidValue);
    return;
  }
  queue(stream, [=] {
    static thread_local Block block;
    blockDim = dim3(static_cast<unsigned>(threads));
    gridDim = blocks;
    for (unsigned z = 0; z < blocks.z; ++z)
      for (unsigned y = 0; y < blocks.y; ++y)
        for (unsigned x = 0; x < blocks.x; ++x) {
          blockIdx = dim3(x, y, z);
          block.run(thread, threads, shared);
        }
  });
}

void queue(Stream* stream, std::function<void()> work) {
  if (stream->captured)
    stream->captured->work.push_back(std::move(work));
  else
    work();
}

}  // namespace fovea::emulation

using namespace fovea::emulation;

cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) { return *value = 0, cudaSuccess; }
cudaError_t cudaSetDevice(int device) { return result(device == 0 ? cudaSuccess : cudaErrorInvalidValue); }
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
const char* cudaGetErrorString(cudaError_t) { return "of the emulation"; }
const char* cudaGetErrorName(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation"
         : error == cudaErrorInvalidValue   ? "cudaErrorInvalidValue"
                                            : "cudaErrorStreamCaptureUnsupported";
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  return *stream = new Stream, cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return result(stream->captured ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = stream->captured ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  stream->captured = std::make_unique<Graph>();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return *graph = stream->captured.release(), cudaSuccess;
}
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode*) { return cudaSuccess; }
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  return *exec = new Graph(*graph), cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t) {
  for (const auto& work : graph->work) work();
  return cudaSuccess;
}
// Work is done when it is asked for: there is nothing to wait for.
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return *event = nullptr, cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }

cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) { return delete graph, cudaSuccess; }

cudaError_t cudaMalloc(void** block, std::size_t bytes) {
  *block = bytes < (std::size_t{1} << 46) ? std::aligned_alloc(256, (bytes + 255) / 256 * 256) : nullptr;
  return result(*block ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaFree(void* block) { return std::free(block), cudaSuccess; }
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return *free = *total = std::size_t{1} << 30, cudaSuccess;
}
cudaError_t cudaHostAlloc(void** block, std::size_t bytes, unsigned) { return cudaMalloc(block, bytes); }
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  queue(stream, [=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  queue(stream, [=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}
