#ifndef FOVEA_OPS_UPSAMPLE_H_
#define FOVEA_OPS_UPSAMPLE_H_

#include "fovea/core/tensor.h"
#include "fovea/ops/height_width.h"
#include "fovea/ops/interpolation.h"

namespace fovea {

/// Either `size` or `scale`, not both.
struct UpsampleOptions {
  HeightWidth size = 0;  ///< H' and W'
  double scale = 0;      ///< H' = floor(scale H), W' = floor(scale W)
  Interpolation mode = Interpolation::bilinear;
  AlignCorners corners = AlignCorners::no;  ///< bilinear only
};

/// Images x [B,C,H,W] in another size, larger or smaller: y [B,C,H',W']. Pixel i of y reads x at
///   floor(i H / H')                            nearest
///   (i + 1/2) H / H' - 1/2, not below 0        bilinear, between the two pixels around it, the last repeated
///   i (H - 1) / (H' - 1), 0 when H' is 1       bilinear, corners aligned
/// down, and likewise across; these are PyTorch's. As there, a scale stands for H' / H as it was given.
/// Smaller sizes take single pixels or means of four, not of all: adaptive_avg_pool2d() does that. dx adds dy
/// where it was read, with the same weights. f32 or f64; H, W, H' and W' are 1 to 2^31 - 1.
Tensor upsample(const Tensor& x, const UpsampleOptions& options);

}  // namespace fovea

#endif  // FOVEA_OPS_UPSAMPLE_H_
