#ifndef FOVEA_KERNELS_POSITIONS_H_
#define FOVEA_KERNELS_POSITIONS_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

struct Rotary {
  double base, first;
  bool interleaved, back;  ///< back: by the negative angles
};

/// Turns the pairs of x (.., L, D), row-major, into y (set or +=): pair i of row l by (first + l) / base^(2i
/// / D).
void rotate(Cpu, const Rotary& r, const View& x, const Target& y);
void rotate(Cuda, const Rotary& r, const View& x, const Target& y);

}  // namespace fovea

#endif  // FOVEA_KERNELS_POSITIONS_H_
