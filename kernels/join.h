#ifndef FOVEA_KERNELS_JOIN_H_
#define FOVEA_KERNELS_JOIN_H_

#include <span>

#include "fovea/core/device.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// The elements of every part, in order, one part after the other: to is row-major, as the parts are, of
/// their type, and has as many elements as they have together. On a GPU one kernel for up to 128 parts.
void join(Cpu, std::span<const View> parts, const View& to);
void join(Cuda, std::span<const View> parts, const View& to);

}  // namespace fovea

#endif  // FOVEA_KERNELS_JOIN_H_
