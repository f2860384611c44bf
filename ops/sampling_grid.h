#ifndef FOVEA_OPS_SAMPLING_GRID_H_
#define FOVEA_OPS_SAMPLING_GRID_H_

#include "fovea/core/tensor.h"
#include "fovea/ops/interpolation.h"

/// Sampling grids of the Spatial Transformer (Jaderberg et al. 2015, section 3.2). Pixel (i,j) of an H' x W'
/// result is target point (x,y): x = (2j + 1) / W' - 1, with corners aligned x = 2j / (W' - 1) - 1, and 0 if
/// there is one pixel only; y likewise. A transformation takes target points to points of the image. f32 or
/// f64.

namespace fovea {

/// For every pixel of a result, the point of the image that it is read from: see grid_sample(). The points
/// travel with what -1 and 1 mean, so that they cannot be read in another sense than they were made in.
struct SamplingGrid {
  Tensor points;         ///< [B,H',W',2]: (x,y), from -1 at the left and the top to 1
  AlignCorners corners;  ///< what -1 and 1 are

  SamplingGrid(Tensor points, AlignCorners corners) : points(std::move(points)), corners(corners) {}
};

/// theta [B,2,3]: point = theta (x,y,1). The identity is (1,0,0; 0,1,0).
///   dtheta = sum over points of dpoint (x,y,1)^T
SamplingGrid affine_grid(const Tensor& theta, Index height, Index width, AlignCorners corners);

/// theta [B,8] = a..h: point = (u,v) / z, (u,v,z) = (a,b,c; d,e,f; g,h,1) (x,y,1). The identity is
/// (1,0,0,0,1,0,0,0). A z closer to 0 than 1e-6 counts as 1e-6 of its sign, with gradient 0.
///   du = dpoint_x / z,  dv = dpoint_y / z,  dz = -(dpoint . point) / z
SamplingGrid projective_grid(const Tensor& theta, Index height, Index width, AlignCorners corners);

}  // namespace fovea

#endif  // FOVEA_OPS_SAMPLING_GRID_H_
