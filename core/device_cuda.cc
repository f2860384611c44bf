#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "fovea/core/captured.h"
#include "fovea/core/cuda.h"
#include "fovea/core/device_memory.h"
#include "fovea/core/error.h"
#include "fovea/core/memory.h"
#include "fovea/core/staging.h"

// One stream and one pool a device. Because all work is in one stream, a block that is freed while kernels
// still read it may be handed out at once: what the next owner queues comes after them.

namespace fovea {
namespace {

constexpr std::size_t smallest = 256;  // what CUDA aligns its own blocks to
constexpr int classes = 192;
constexpr std::size_t input_bytes = 16384;  // of a captured step
using FreeLists = std::array<std::vector<std::byte*>, classes>;

std::size_t at_least(std::size_t bytes) { return std::max(bytes, smallest); }

class State {
 public:
  explicit State(Cuda device) : device_(device) {
    use();
    detail::cuda_check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
    void* host = nullptr;
    detail::cuda_check(cudaHostAlloc(&host, sizeof(detail::Fault), cudaHostAllocMapped), "cudaHostAlloc");
    fault = new (host) detail::Fault{};
    void* counter = nullptr;
    detail::cuda_check(cudaMalloc(&counter, sizeof *count), "cudaMalloc");
    detail::cuda_check(cudaMemsetAsync(counter, 0, sizeof *count, stream), "cudaMemsetAsync");
    count = static_cast<unsigned*>(counter);
  }

  void use() const {
    static thread_local int current = -1;
    if (current == device_.index) return;
    detail::cuda_check(cudaSetDevice(device_.index), "cudaSetDevice");
    current = device_.index;
  }

  std::byte* allocate(std::size_t bytes) {
    const int c = detail::size_class_of(at_least(bytes));
    const std::size_t size = detail::class_bytes(c);
    std::lock_guard lock(mutex_);
    auto& list = (captured ? captured->lists : lists_).at(static_cast<std::size_t>(c));
    std::byte* block = nullptr;
    if (list.empty()) {
      block = from_system(size);
      if (captured) captured->blocks.push_back(block), owner_[block] = captured;
    } else {
      block = list.back();
      list.pop_back();
    }
    stats.allocated += size;
    stats.peak = std::max(stats.peak, stats.allocated);
    return block;
  }

  void free(std::byte* block, std::size_t bytes) noexcept {
    const int c = detail::size_class_of(at_least(bytes));
    std::lock_guard lock(mutex_);
    stats.allocated -= detail::class_bytes(c);
    const auto owned = owner_.empty() ? owner_.end() : owner_.find(block);
    (owned != owner_.end() ? owned->second->lists : lists_)[static_cast<std::size_t>(c)].push_back(block);
  }

  void release() {
    detail::refuse_in_capture(device_, "release_cached_memory");
    std::lock_guard lock(mutex_);
    release_locked();
  }

  // The blocks of a captured step that is no more, whose tensors may live on, are everybody's again.
  void give_back(detail::CapturedStep& step) {
    std::lock_guard lock(mutex_);
    for (std::size_t c = 0; c < lists_.size(); ++c)
      lists_[c].insert(lists_[c].end(), step.lists[c].begin(), step.lists[c].end());
    for (std::byte* block : step.blocks) owner_.erase(block);
  }

  MemoryStats read() {
    std::lock_guard lock(mutex_);
    return stats;
  }
  void reset_peak() {
    std::lock_guard lock(mutex_);
    stats.peak = stats.allocated;
  }

  // Waits for the stream and reports what a kernel has noted.
  void wait(const char* what) {
    detail::refuse_in_capture(device_, what);
    detail::cuda_check(cudaStreamSynchronize(stream), what);
    if (!fault->op) return;
    const detail::Fault found = *fault;
    *fault = {};
    const Device here = device_;
    if (found.what) fail(found.op, found.what, " at ", found.position, " (found on ", here, ")");
    fail(found.op, "index ", found.value, " at position ", found.position, " is not in 0..", found.limit - 1,
         " (limit ", found.limit, "; found on ", here, ")");
  }

  cudaStream_t stream = nullptr;
  detail::Staging staging;
  detail::Fault* fault = nullptr;
  unsigned* count = nullptr;
  std::size_t limit = 0;
  detail::CapturedStep* captured = nullptr;  // of the step that is being captured

 private:
  std::byte* from_system(std::size_t size) {
    use();
    for (int attempt = 0; attempt < 2; ++attempt) {
      void* block = nullptr;
      if (limit == 0 || stats.reserved + size <= limit) {
        // Relaxed, because a step that is being captured may need a block that no step before it did.
        cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
        detail::cuda_check(cudaThreadExchangeStreamCaptureMode(&mode), "cudaThreadExchangeStreamCaptureMode");
        const cudaError_t error = cudaMalloc(&block, size);
        detail::cuda_check(cudaThreadExchangeStreamCaptureMode(&mode), "cudaThreadExchangeStreamCaptureMode");
        if (error != cudaErrorMemoryAllocation) detail::cuda_check(error, "cudaMalloc");
        cudaGetLastError();
      }
      if (block) {
        stats.reserved += size;
        return static_cast<std::byte*>(block);
      }
      if (attempt == 0 && !captured) release_locked();
    }
    std::size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw OutOfMemory(cat("[memory] cannot allocate ", size, " bytes on ", Device(device_), ": ", free,
                          " of ", total, " are free, live tensors hold ", stats.allocated, ", at most ",
                          stats.peak, " so far; use a smaller batch or shorter sequences"),
                      size, stats.allocated, stats.peak, free);
  }

  void release_locked() {
    use();
    cudaStreamSynchronize(stream);
    for (int c = 0; c < classes; ++c) {
      auto& list = lists_[static_cast<std::size_t>(c)];
      for (std::byte* block : list) cudaFree(block);
      stats.reserved -= list.size() * detail::class_bytes(c);
      list.clear();
      list.shrink_to_fit();
    }
  }

  Cuda device_;
  std::mutex mutex_;
  FreeLists lists_;
  std::unordered_map<std::byte*, detail::CapturedStep*> owner_;  // of blocks that captured steps use
  MemoryStats stats;
};

State& state(Cuda device) {
  static std::mutex mutex;
  static auto* states = new std::vector<std::unique_ptr<State>>;  // outlives every static tensor
  std::lock_guard lock(mutex);
  const auto i = static_cast<std::size_t>(device.index);
  if (states->size() <= i) states->resize(i + 1);
  if (!(*states)[i]) (*states)[i] = std::make_unique<State>(device);
  return *(*states)[i];
}

const Cuda* gpu(const Device& device) { return std::get_if<Cuda>(&device); }

}  // namespace

// --- what everybody sees

int cuda_device_count() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

void synchronize(const Device& device) {
  if (const Cuda* d = gpu(device)) state(*d).wait("synchronize");
}

void* cuda_stream(Cuda device) {
  State& s = state(device);
  s.use();
  return s.stream;
}

MemoryStats memory_stats(Cuda device) { return state(device).read(); }
void reset_peak_memory(Cuda device) { state(device).reset_peak(); }

GpuInfo gpu_info(Cuda device) {
  const auto attribute = [&](cudaDeviceAttr which) {
    int value = 0;
    detail::cuda_check(cudaDeviceGetAttribute(&value, which, device.index), "cudaDeviceGetAttribute");
    return value;
  };
  return {attribute(cudaDevAttrComputeCapabilityMajor), attribute(cudaDevAttrComputeCapabilityMinor),
          attribute(cudaDevAttrMultiProcessorCount), attribute(cudaDevAttrClockRate)};
}

void release_cached_memory(Cuda device) { state(device).release(); }
void set_memory_limit(std::size_t bytes, Cuda device) { state(device).limit = bytes; }

// --- what core and kernels use

namespace detail {

void cuda_check(int code, const char* what, const std::source_location& where) {
  if (code == cudaSuccess) [[likely]]
    return;
  const auto error = static_cast<cudaError_t>(code);
  cudaGetLastError();  // so that the next call does not report it again
  if (error == cudaErrorMemoryAllocation) {
    std::size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw OutOfMemory(cat("[cuda] ", what, " had too little memory: ", free, " of ", total,
                          " bytes are free; use a smaller batch or shorter sequences"),
                      0, 0, 0, free);
  }
  fail("cuda", what, " failed: ", cudaGetErrorString(error), " (", cudaGetErrorName(error), "), in ",
       where.file_name(), ":", where.line());
}

Fault* cuda_fault(Cuda device) { return state(device).fault; }
unsigned* cuda_count(Cuda device) { return state(device).count; }

void refuse_in_capture(Cuda device, const char* what) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  cuda_check(cudaStreamIsCapturing(state(device).stream, &status), "cudaStreamIsCapturing");
  require(status == cudaStreamCaptureStatusNone, what,
          "waits for the GPU, which a captured step cannot: read values between the steps");
}

std::byte* device_allocate(Cuda device, std::size_t bytes) { return state(device).allocate(bytes); }
void device_free(Cuda device, std::byte* block, std::size_t bytes) noexcept {
  state(device).free(block, bytes);
}

void copy_bytes(const Device& to_device, void* to, const Device& from_device, const void* from,
                std::size_t bytes) {
  if (bytes == 0) return;
  const Cuda *target = gpu(to_device), *source = gpu(from_device);
  if (!target && !source) {
    std::memcpy(to, from, bytes);
    return;
  }
  if (!target || !source) refuse_in_capture(target ? *target : *source, "copy between host and GPU");
  State& s = state(source ? *source : *target);
  s.use();
  if (!source) return s.staging.send(to, from, bytes, s.stream);
  if (!target) {
    s.staging.receive(to, from, bytes, s.stream);
    return s.wait("copy");
  }
  if (*target != *source) s.wait("copy");
  cuda_check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, s.stream), "cudaMemcpyAsync");
  if (*target != *source) s.wait("copy");
}

void zero_bytes(const Device& device, void* to, std::size_t bytes) {
  if (bytes == 0) return;
  if (const Cuda* d = gpu(device))
    cuda_check(cudaMemsetAsync(to, 0, bytes, static_cast<cudaStream_t>(cuda_stream(*d))), "cudaMemsetAsync");
  else
    std::memset(to, 0, bytes);
}

}  // namespace detail

// --- captured steps

struct Captured::Impl {
  Cuda device;
  detail::CapturedStep step;
  cudaGraphExec_t graph = nullptr;
  ~Impl() {
    State& s = state(device);
    if (graph) {
      cudaStreamSynchronize(s.stream);
      cudaGraphExecDestroy(graph);
    }
    s.give_back(step);
    if (step.device) s.free(step.device, input_bytes);
  }
};

Captured::Captured(Cuda device, const std::function<void()>& step) : impl_(std::make_unique<Impl>(device)) {
  State& s = state(device);
  s.use();
  require(s.captured == nullptr, "capture", "a step is being captured already");
  s.wait("capture");
  cudaGraph_t graph = nullptr;
  impl_->step.host.resize(input_bytes);
  impl_->step.device = s.allocate(input_bytes);
  detail::cuda_check(cudaStreamBeginCapture(s.stream, cudaStreamCaptureModeThreadLocal),
                     "cudaStreamBeginCapture");
  s.captured = &impl_->step;
  try {
    step();
  } catch (...) {
    s.captured = nullptr;
    cudaStreamEndCapture(s.stream, &graph);
    if (graph) cudaGraphDestroy(graph);
    cudaGetLastError();
    throw;
  }
  s.captured = nullptr;
  detail::cuda_check(cudaStreamEndCapture(s.stream, &graph), "cudaStreamEndCapture");
  const cudaError_t error = cudaGraphInstantiate(&impl_->graph, graph, 0);
  cudaGraphDestroy(graph);
  detail::cuda_check(error, "cudaGraphInstantiate");
}

Captured::~Captured() = default;
Captured::Captured(Captured&&) noexcept = default;
Captured& Captured::operator=(Captured&&) noexcept = default;

bool detail::being_captured(const Device& device) {
  const Cuda* d = gpu(device);
  return d && state(*d).captured;
}

void* detail::add_captured_input(const Device& device, std::size_t bytes, std::function<void(void*)> fill) {
  CapturedStep* step = state(std::get<Cuda>(device)).captured;
  constexpr std::size_t alignment = 16;
  const std::size_t at = step->used;
  require(at + bytes <= input_bytes, "capture", "the step takes more than ", input_bytes,
          " bytes from the host");
  step->used = (at + bytes + alignment - 1) / alignment * alignment;
  step->inputs.push_back({at, std::move(fill)});
  return step->device + at;
}

void Captured::operator()() const {
  State& s = state(impl_->device);
  s.use();
  detail::CapturedStep& step = impl_->step;
  for (const auto& input : step.inputs) input.fill(step.host.data() + input.offset);
  s.staging.send(step.device, step.host.data(), step.used, s.stream);
  detail::cuda_check(cudaGraphLaunch(impl_->graph, s.stream), "cudaGraphLaunch");
}

}  // namespace fovea
