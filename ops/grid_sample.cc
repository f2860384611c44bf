#include "fovea/ops/grid_sample.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/grid_sample.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

constexpr auto op = "grid_sample";

void check(const Tensor& x, const Tensor& points) {
  constexpr Index most = Index{1} << 24, most_pixels = Index{1} << 31;
  require(x.rank() == 4, op, "x must be [B,C,H,W], got ", x.shape());
  require(points.rank() == 4 && points.shape()[3] == 2, op, "the grid must be [B,H',W',2], got ",
          points.shape());
  require(points.shape()[0] == x.shape()[0], op, "x ", x.shape(), " and the grid ", points.shape(),
          " must have the same batch; expand() one of them");
  require(points.dtype() == x.dtype(), op, "x is ", x.dtype(), " but the grid is ", points.dtype(),
          "; cast() one of them");
  detail::require_one_device(op, {x, points});
  const Index height = x.shape()[2], width = x.shape()[3];
  require(height > 0 && width > 0, op, "x ", x.shape(), " has no pixels to read");
  require(height <= most && width <= most && height * width < most_pixels, op, "x ", x.shape(),
          " is too large: height and width may be up to 2^24, and their product below 2^31");
}

}  // namespace

Tensor grid_sample(const Tensor& x, const SamplingGrid& grid, const GridSampleOptions& options) {
  check(x, grid.points);
  const Tensor px = detail::packed(x), points = detail::packed(grid.points);
  const SampleRule rule{options.mode == Interpolation::bilinear, options.padding == Surroundings::border,
                        grid.corners == AlignCorners::yes};
  Tensor y = Tensor::empty({x.shape()[0], x.shape()[1], points.shape()[1], points.shape()[2]}, x.dtype(),
                           x.device());
  std::visit([&](auto d) { grid_sample_forward(d, view_of(px), view_of(points), rule, view_of(y)); },
             x.device());
  record(op, {x, grid.points}, {y}, [x = Saved(px), points = Saved(points), rule](Backward& b) {
    const Target dx = target_of(b, 0), dpoints = target_of(b, 1);
    std::visit(
        [&](auto d) {
          grid_sample_backward(d, view_of(x.get()), view_of(points.get()), rule, view_of(b.dy()), dx,
                               dpoints);
        },
        x->device());
  });
  return y;
}

}  // namespace fovea
