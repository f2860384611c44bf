#include "fovea/ops/sampling_grid.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/sampling_grid.h"

namespace fovea {
namespace {

// The grid of theta, whose rows of 6 or 8 numbers fill 3 x 3 matrices.
SamplingGrid grid_of(const char* op, const Tensor& theta, Index height, Index width, AlignCorners corners) {
  require(theta.dtype() == DType::f32 || theta.dtype() == DType::f64, op, "theta must be f32 or f64, not ",
          theta.dtype(), "; cast() it first");
  require(height >= 0 && width >= 0, op, "a grid of ", height, " x ", width, " points cannot be");
  const Index batch = theta.shape()[0], count = theta.rank() == 3 ? 6 : 8;
  const bool align = corners == AlignCorners::yes;
  const Tensor t = detail::packed(theta);
  const Tensor rows = t.view({batch, count}, {count, 1}, 0);
  Tensor points = Tensor::empty({batch, height, width, 2}, theta.dtype(), theta.device());
  std::visit([&](auto d) { sampling_grid_forward(d, view_of(rows), align, view_of(points)); },
             theta.device());
  record(op, {theta}, {points}, [rows = Saved(rows), align](Backward& b) {
    const Target dtheta = target_of(b, 0);
    std::visit(
        [&](auto d) { sampling_grid_backward(d, view_of(rows.get()), align, view_of(b.dy()), dtheta); },
        rows->device());
  });
  return {points, corners};
}

}  // namespace

SamplingGrid affine_grid(const Tensor& theta, Index height, Index width, AlignCorners corners) {
  require(theta.rank() == 3 && theta.shape()[1] == 2 && theta.shape()[2] == 3, "affine_grid",
          "theta must be [B,2,3], got ", theta.shape(), "; reshape() it");
  return grid_of("affine_grid", theta, height, width, corners);
}

SamplingGrid projective_grid(const Tensor& theta, Index height, Index width, AlignCorners corners) {
  require(theta.rank() == 2 && theta.shape()[1] == 8, "projective_grid", "theta must be [B,8], got ",
          theta.shape(), "; the ninth entry of the matrix is always 1");
  return grid_of("projective_grid", theta, height, width, corners);
}

}  // namespace fovea
