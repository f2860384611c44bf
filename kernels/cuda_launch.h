#ifndef FOVEA_KERNELS_CUDA_LAUNCH_H_
#define FOVEA_KERNELS_CUDA_LAUNCH_H_

#include <cuda_runtime.h>

#include <algorithm>

#include "fovea/core/cuda.h"
#include "fovea/core/device_memory.h"
#include "fovea/kernels/view.h"

/// What CUDA kernels are started with. Included by *_cuda.cu files only.

namespace fovea {

inline cudaStream_t stream_of(Cuda d) { return static_cast<cudaStream_t>(cuda_stream(d)); }

/// Starts a kernel: `blocks` of `threads`, with `shared` bytes of dynamic shared memory.
template <class... P, class... A>
void launch(Cuda d, void (*kernel)(P...), dim3 blocks, int threads, std::size_t shared,
            const A&... arguments) {
#ifdef __CUDACC__
  kernel<<<blocks, static_cast<unsigned>(threads), shared, stream_of(d)>>>(arguments...);
#else
  emulation::launch(stream_of(d), blocks, threads, shared, [=] { kernel(arguments...); });
#endif
  detail::cuda_check(cudaGetLastError(), "a kernel's start");
}

/// The dynamic shared memory of a block.
template <class T>
__device__ T* dynamic_shared() {
#ifdef __CUDACC__
  extern __shared__ __align__(16) unsigned char fovea_dynamic_shared[];
  return reinterpret_cast<T*>(fovea_dynamic_shared);
#else
  return static_cast<T*>(emulation::dynamic_shared());
#endif
}

inline constexpr int block_threads = 256;
inline constexpr Index most_blocks = 1 << 16;  // a kernel's threads walk on in strides of the whole grid

namespace detail {
template <class F>
__global__ void __launch_bounds__(block_threads) run_each(Index n, F f) {
  for (Index i = Index(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += Index(gridDim.x) * blockDim.x)
    f(i);
}
}  // namespace detail

/// Calls f(i) for i from 0 to n - 1, each in a thread of its own. f is a lambda that takes what it needs by
/// value: `each(d, n, [=] __device__(Index i) { y[i] = x[i]; })`.
template <class F>
void each(Cuda d, Index n, F f) {
  if (n == 0) return;
  const Index blocks = std::min((n + block_threads - 1) / block_threads, most_blocks);
  launch(d, detail::run_each<F>, dim3(static_cast<unsigned>(blocks)), block_threads, 0, n, f);
}

/// *to = x, or += it: what Into means to one element.
template <class T>
__device__ void put(T* to, T x, bool add) {
  *to = add ? *to + x : x;
}

/// Notes what is wrong with a kernel's input; the host's next wait throws it. Only the first one counts.
__device__ inline void note_fault(detail::Fault* to, const detail::Fault& fault) {
  // A race between two threads that both find one leaves the numbers of one of them or a mixture: the op is
  // right in any case.
  if (to->op) return;
  to->what = fault.what;
  to->value = fault.value;
  to->position = fault.position;
  to->limit = fault.limit;
  __threadfence_system();
  to->op = fault.op;
}

/// Room for n elements on the device, not set; given back at the end of the scope, in the stream's order.
template <class T>
class DeviceScratch {
 public:
  DeviceScratch(Cuda d, Index n)
      : device_(d),
        bytes_(static_cast<std::size_t>(n) * sizeof(T)),
        data_(reinterpret_cast<T*>(detail::device_allocate(d, bytes_))) {}
  ~DeviceScratch() { detail::device_free(device_, reinterpret_cast<std::byte*>(data_), bytes_); }
  DeviceScratch(const DeviceScratch&) = delete;
  DeviceScratch& operator=(const DeviceScratch&) = delete;

  T* data() const { return data_; }

 private:
  Cuda device_;
  std::size_t bytes_;
  T* data_;
};

}  // namespace fovea

#endif  // FOVEA_KERNELS_CUDA_LAUNCH_H_
