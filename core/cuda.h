#ifndef FOVEA_CORE_CUDA_H_
#define FOVEA_CORE_CUDA_H_

#include <source_location>

#include "fovea/core/device.h"
#include "fovea/core/shape.h"

/// What kernels/*_cuda.cu take from core, and what programs that queue CUDA work of their own need. No CUDA
/// header is included: a stream is a pointer that cudaStream_t converts to.

namespace fovea {

/// The stream on which everything on this device is queued (a cudaStream_t). Makes the device current.
void* cuda_stream(Cuda device);

/// What a GPU is able to do.
struct GpuInfo {
  int major = 0, minor = 0;                ///< its compute capability
  int multiprocessors = 0, kilohertz = 0;  ///< how many, and their highest clock
};
GpuInfo gpu_info(Cuda device);

namespace detail {

/// Throws when a call to CUDA or cuBLAS failed; `code` is its result. Out of memory is an OutOfMemory.
void cuda_check(int code, const char* what,
                const std::source_location& where = std::source_location::current());

/// Where kernels note what is wrong with their input, which the host cannot look at without waiting: an
/// address on the device. The next wait throws it.
struct Fault {
  const char* op;    // set last; null: none
  const char* what;  // what is wrong at `position`; null: `value` is an index beyond 0..limit-1
  Index value, position, limit;
};
Fault* cuda_fault(Cuda device);

/// On the device, a count of blocks that have done their part; 0 between kernels: the last one sets it back.
unsigned* cuda_count(Cuda device);

/// Throws when the device's stream is being captured: `what` would wait for it.
void refuse_in_capture(Cuda device, const char* what);

}  // namespace detail
}  // namespace fovea

#endif  // FOVEA_CORE_CUDA_H_
