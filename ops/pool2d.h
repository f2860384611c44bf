#ifndef FOVEA_OPS_POOL2D_H_
#define FOVEA_OPS_POOL2D_H_

#include "fovea/core/tensor.h"
#include "fovea/ops/height_width.h"

/// The largest element or the mean of windows of images: x [B,C,H,W] -> [B,C,H',W']. f32 or f64; H and W are
/// at least 1. All errors name x and the windows.

namespace fovea {

/// Windows of `kernel` pixels, `stride` pixels apart (0: as far as they are large), on an image with
/// `padding` pixels on every side: H' = floor((H + 2 padding - kernel) / stride) + 1. padding <= kernel / 2,
/// so that no window is empty; kernel <= H + 2 padding.
struct Pool2dOptions {
  HeightWidth kernel = 2, stride = 0, padding = 0;
};

/// The largest pixel of every window, NaN if there is one; padding is never taken. dx = dy at the window's
/// first largest pixel (its first NaN) in row-major order.
Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options = {});

struct AvgPool2dOptions {
  HeightWidth kernel = 2, stride = 0, padding = 0;
  bool count_include_pad = true;  ///< whether pixels of the padding, which are 0, count, as in PyTorch
};

/// The mean of every window. dx = dy / n for each of its n pixels.
Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options = {});

/// H' x W' windows that cover the image: window i has rows floor(i H / H') to ceil((i + 1) H / H') - 1, and
/// columns likewise; neighbours overlap where H' does not divide H. Otherwise as max_pool2d.
Tensor adaptive_max_pool2d(const Tensor& x, HeightWidth size);

/// The mean of the same windows.
Tensor adaptive_avg_pool2d(const Tensor& x, HeightWidth size);

}  // namespace fovea

#endif  // FOVEA_OPS_POOL2D_H_
