#ifndef FOVEA_OPS_THIN_PLATE_SPLINE_H_
#define FOVEA_OPS_THIN_PLATE_SPLINE_H_

#include "fovea/ops/sampling_grid.h"

namespace fovea {

/// n x n control points, evenly spaced from -1 to 1, row by row: (x0,y0,x1,y1,...), [2 n^2]. As theta of
/// thin_plate_spline_grid() they are the identity.
Tensor control_points(Index n, DType dtype = DType::f32);

/// The thin plate spline (Bookstein 1989; Jaderberg et al. 2015, section 3.2) that takes the control points c
/// to where theta [B,2K] puts them, K = n^2 of (x,y) each, n >= 2 (16 points in the paper): with p = (x,y) a
/// target point,
///   point = a + b x + c y + sum_k w_k U(|p - c_k|),  U(r) = r^2 ln r^2
/// the w_k orthogonal to 1, x and y. The points are linear in theta, so this is one product: point = M theta,
/// dtheta = M^T dpoint. M [H'W',K] is made anew at every call, in double: 0.15 ms for 16 control points and
/// 20 x 20 pixels.
SamplingGrid thin_plate_spline_grid(const Tensor& theta, Index height, Index width, AlignCorners corners);

}  // namespace fovea

#endif  // FOVEA_OPS_THIN_PLATE_SPLINE_H_
