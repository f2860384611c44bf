#ifndef FOVEA_KERNELS_POSITIONS_H_
#define FOVEA_KERNELS_POSITIONS_H_

#include "fovea/core/device.h"
#include "fovea/kernels/scalar_math.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

struct Rotary {
  double base, first;
  bool interleaved, back;  ///< back: by the negative angles

  /// By how much pair i of row l turns.
  FOVEA_HD double angle(Index l, Index i, Index D) const {
    const double pair = 2 * static_cast<double>(i) / static_cast<double>(D);
    const double a = (first + static_cast<double>(l)) * math::pow(base, -pair);
    return back ? -a : a;
  }
};

/// sin(p / 10000^(2i / D)) and its cosine, in turn, for the positions p from `first`: y (L, D), row-major.
void position_table(Cpu, Index first, const View& y);
void position_table(Cuda, Index first, const View& y);

/// Turns the pairs of x (.., L, D), row-major, into y (set or +=): pair i of row l by (first + l) / base^(2i
/// / D).
void rotate(Cpu, const Rotary& r, const View& x, const Target& y);
void rotate(Cuda, const Rotary& r, const View& x, const Target& y);

}  // namespace fovea

#endif  // FOVEA_KERNELS_POSITIONS_H_
