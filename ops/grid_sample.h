#ifndef FOVEA_OPS_GRID_SAMPLE_H_
#define FOVEA_OPS_GRID_SAMPLE_H_

#include "fovea/ops/sampling_grid.h"

namespace fovea {

/// What lies around an image: zeros, or its border continued.
enum class Surroundings { zeros, border };

struct GridSampleOptions {
  Interpolation mode = Interpolation::bilinear;
  Surroundings padding = Surroundings::zeros;
};

/// An image x [B,C,H,W] read at the points of a grid [B,H',W',2]: y [B,C,H',W'] (Jaderberg et al. 2015,
/// section 3.3). Point (x,y) lies at pixel (p,q), p = x W/2 + (W - 1)/2 (with corners aligned, x (W - 1)/2 +
/// (W - 1)/2), q likewise, and
///   y = sum_mn x_mn k(q - m) k(p - n),  k(d) = max(0, 1 - |d|)
///   dx_mn += dy k(q - m) k(p - n),  dp = dy sum_mn x_mn k(q - m) sign(n - p) [|n - p| < 1]
/// where at a whole p the slope is that towards n = p + 1. Nearest reads pixel (p,q) rounded, halves to even,
/// and has no slope. With zeros around, every pixel outside the image counts 0 for itself, also next to the
/// border; with the border continued, p is held between 0 and W - 1 and has slope 0 there and beyond.
///
/// Points may be anything: far away or infinite ones are outside, those with a NaN give NaN, in y and in
/// their own gradient, and add nothing to dx. A pixel of weight 0 is not read, whatever it holds. H and W are
/// 1 to 2^24, and H W is below 2^31. Errors: shapes or types that do not fit.
Tensor grid_sample(const Tensor& x, const SamplingGrid& grid, const GridSampleOptions& options = {});

}  // namespace fovea

#endif  // FOVEA_OPS_GRID_SAMPLE_H_
