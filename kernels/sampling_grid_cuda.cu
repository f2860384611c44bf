#include "fovea/kernels/cuda_team.h"
#include "fovea/kernels/sampling_grid.h"

namespace fovea {
namespace {

constexpr auto op = "sampling_grid";

template <bool projective, class T>
void forward(Cuda d, Index batch, Index height, Index width, const T* theta, bool align_corners, T* points) {
  using Map = RowMap<projective, T>;
  each(d, batch * height * width, [=] __device__(Index i) {
    const Index line = i / width, b = line / height;
    const Map map{theta + b * Map::count, target_point<T>(line - b * height, height, align_corners)};
    const auto p = map(target_point<T>(i - line * width, width, align_corners));
    points[2 * i] = p.u;
    points[2 * i + 1] = p.v;
  });
}

// A team takes a sample. As u was (a x + b y + c) / z, da = sum of du x, db = sum of du y and dc = sum of du.
template <bool projective, class T>
void backward(Cuda d, Index batch, Index height, Index width, const T* theta, bool align_corners,
              const T* dpoints, T* dtheta, bool add) {
  using Map = RowMap<projective, T>;
  each_row(d, batch, height * width, [=] __device__(const auto& team, Index b) {
    T sums[9] = {};  // of the 3 x 3 matrix; the last one is nobody's
    team.each(height * width, [&](Index i) {
      const Map map{theta + b * Map::count, target_point<T>(i / width, height, align_corners)};
      const T x = target_point<T>(i % width, width, align_corners);
      const auto p = map(x);
      const T* up = dpoints + 2 * (b * height * width + i);
      const T du = up[0] / p.z, dv = up[1] / p.z, dz = p.inner ? -(du * p.u + dv * p.v) : T(0);
      const T add_up[9] = {du * x, du * map.y, du, dv * x, dv * map.y, dv, dz * x, dz * map.y, dz};
#pragma unroll
      for (int k = 0; k < Map::count; ++k) sums[k] += add_up[k];
    });
#pragma unroll
    for (int k = 0; k < Map::count; ++k) {
      const T sum = team.all(sums[k], [](T one, T other) { return one + other; });
      if (team.lane == 0) put(dtheta + b * Map::count + k, sum, add);
    }
  });
}

}  // namespace

void sampling_grid_forward(Cuda d, const View& theta, bool align_corners, const View& points) {
  const Shape& s = points.shape;
  visit_float(op, theta.dtype, [&]<class T>() {
    const auto run = theta.shape[1] == 8 ? &forward<true, T> : &forward<false, T>;
    run(d, s[0], s[1], s[2], theta.as<const T>(), align_corners, points.as<T>());
  });
}

void sampling_grid_backward(Cuda d, const View& theta, bool align_corners, const View& dpoints,
                            const Target& dtheta) {
  const Shape& s = dpoints.shape;
  visit_float(op, theta.dtype, [&]<class T>() {
    const auto run = theta.shape[1] == 8 ? &backward<true, T> : &backward<false, T>;
    run(d, s[0], s[1], s[2], theta.as<const T>(), align_corners, dpoints.as<const T>(), dtheta.as<T>(),
        dtheta.into == Into::add);
  });
}

}  // namespace fovea
