#include "fovea/models/layers/spatial_transformer.h"

#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/table.h"
#include "fovea/ops/thin_plate_spline.h"

namespace fovea {

SpatialTransformer::SpatialTransformer(const Options& o, Generator& random) : options(o) {
  const Tensor start = identity(o.kind, o.localisation.dtype);
  options.localisation.outputs = start.numel();
  localisation = ConvNet(options.localisation, random);
  Linear& last = localisation.linear.layers.back();
  init::constant(last.weight, 0);
  assign(last.bias, start);
}

SpatialTransformer::Look SpatialTransformer::look(const Tensor& x) const {
  const Tensor theta = localisation.forward(x);
  SamplingGrid points = grid(theta);
  Tensor output = grid_sample(x, points, {.padding = options.padding});
  return {theta, std::move(points), std::move(output)};
}

SamplingGrid SpatialTransformer::grid(const Tensor& theta) const {
  const Index B = theta.size(0), h = options.height, w = options.width;
  switch (options.kind) {
    case Kind::affine:
      return affine_grid(reshape(theta, {B, 2, 3}), h, w, options.corners);
    case Kind::projective:
      return projective_grid(theta, h, w, options.corners);
    case Kind::thin_plate_spline:
      return thin_plate_spline_grid(theta, h, w, options.corners);
    default: {
      const Tensor s = slice(theta, 1, 0, 1), x = slice(theta, 1, 1, 2), y = slice(theta, 1, 2, 3);
      const Tensor none = zeros({B, 1}, theta.dtype(), theta.device());
      return affine_grid(reshape(concat({s, none, x, none, s, y}, 1), {B, 2, 3}), h, w, options.corners);
    }
  }
}

Tensor SpatialTransformer::identity(Kind kind, DType dtype, const Device& device) {
  return clone(table(cat("identity ", static_cast<int>(kind)), dtype, device, [kind] {
    switch (kind) {
      case Kind::affine:
        return Tensor::from({1, 0, 0, 0, 1, 0}, {6});
      case Kind::projective:
        return Tensor::from({1, 0, 0, 0, 1, 0, 0, 0}, {8});
      case Kind::thin_plate_spline:
        return control_points(4, DType::f64);
      default:
        return Tensor::from({1, 0, 0}, {3});
    }
  }));
}

Tensor SpatialTransformer::penalty(const Tensor& theta) const {
  const Tensor off = theta - identity(options.kind, theta.dtype(), theta.device());
  return affine(sum(off * off), 1.0 / static_cast<double>(std::max<Index>(1, theta.size(0))), 0);
}

}  // namespace fovea
