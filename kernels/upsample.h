#ifndef FOVEA_KERNELS_UPSAMPLE_H_
#define FOVEA_KERNELS_UPSAMPLE_H_

#include "fovea/core/device.h"
#include "fovea/kernels/scalar_math.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// Where pixel i of a resized image reads the old one in one dimension.
struct Resize {
  enum Kind { nearest, halves, corners };
  Kind kind;
  Index pixels;      // of the old image
  double from, per;  // `from` pixels of the old image are `per` of the new one

  /// For nearest, to be rounded down. i from is exact and the quotient rounded once, so that a whole result
  /// is.
  FOVEA_HD double source(Index i) const {
    const double at = static_cast<double>(i);
    if (kind == nearest) return at * from / per;
    if (kind == corners) return per == 0 ? 0 : at * from / per;
    const double source = ((2 * at + 1) * from / per - 1) / 2;
    return source < 0 ? 0 : source;
  }
  /// The pixels before and after (one and the same for nearest and at the end), and the weight of the second.
  struct Place {
    Index low, high;
    double weight;
  };
  FOVEA_HD Place place(Index i) const {
    const double at = source(i), first = std::floor(at), last = static_cast<double>(pixels - 1);
    if (first >= last) return {pixels - 1, pixels - 1, 0};
    const auto low = static_cast<Index>(first);
    return kind == nearest ? Place{low, low, 0} : Place{low, low + 1, at - first};
  }
};

/// y (B,C,H',W') = x (B,C,H,W) read at `rows` and `columns`. Row-major.
void upsample_forward(Cpu, const View& x, const Resize& rows, const Resize& columns, const View& y);
void upsample_forward(Cuda, const View& x, const Resize& rows, const Resize& columns, const View& y);

/// dx (set or +=).
void upsample_backward(Cpu, const View& dy, const Resize& rows, const Resize& columns, const Target& dx);
void upsample_backward(Cuda, const View& dy, const Resize& rows, const Resize& columns, const Target& dx);

}  // namespace fovea

#endif  // FOVEA_KERNELS_UPSAMPLE_H_
