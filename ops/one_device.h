#ifndef FOVEA_OPS_ONE_DEVICE_H_
#define FOVEA_OPS_ONE_DEVICE_H_

#include "fovea/core/tape.h"

namespace fovea::detail {

/// Throws unless all tensors lie on one device; undefined ones are passed over. Every op with several inputs
/// asks before it calls a kernel.
inline void require_one_device([[maybe_unused]] const char* op, [[maybe_unused]] const TensorList& tensors) {
#ifdef FOVEA_CUDA
  const Tensor* first = nullptr;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    if (!t.defined()) continue;
    if (!first) first = &t;
    require(t.device() == first->device(), op, "inputs lie on ", first->device(), " ", first->shape(),
            " and ", t.device(), " ", t.shape(), "; copy one of them with to(x, device)");
  }
#endif
}

}  // namespace fovea::detail

#endif  // FOVEA_OPS_ONE_DEVICE_H_
