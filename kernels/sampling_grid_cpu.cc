#include <vector>

#include "fovea/kernels/loops.h"
#include "fovea/kernels/sampling_grid.h"

namespace fovea {
namespace {

constexpr auto op = "sampling_grid";

template <class T>
std::vector<T> target_points(Index n, bool align_corners) {
  std::vector<T> out(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) out[static_cast<std::size_t>(i)] = target_point<T>(i, n, align_corners);
  return out;
}

template <bool projective, class T>
void forward(const View& theta, bool align_corners, const View& points) {
  constexpr Index count = RowMap<projective, T>::count;
  const Index height = points.shape[1], width = points.shape[2];
  const std::vector<T> xs = target_points<T>(width, align_corners);
  parallel_for(points.shape[0], height * width, cheap_grain / 8, [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b)
      for (Index i = 0; i < height; ++i) {
        const RowMap<projective, T> map{theta.as<const T>() + b * count,
                                        target_point<T>(i, height, align_corners)};
        T* to = points.as<T>() + (b * height + i) * width * 2;
        const T* x = xs.data();
#pragma GCC ivdep
        for (Index j = 0; j < width; ++j) {
          const auto p = map(x[j]);
          to[2 * j] = p.u;
          to[2 * j + 1] = p.v;
        }
      }
  });
}

// In the forward pass u was a x + b y + c (over z), so here da += du x, db += du y and dc += du; b and c only
// need the sum of du over the row.
template <bool projective, class T>
void backward(const View& theta, bool align_corners, const View& dpoints, const Target& dtheta) {
  constexpr Index count = RowMap<projective, T>::count;
  const Index height = dpoints.shape[1], width = dpoints.shape[2];
  const std::vector<T> xs = target_points<T>(width, align_corners);
  parallel_for(dpoints.shape[0], height * width, cheap_grain / 8, [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b) {
      T sums[9] = {};  // of the 3 x 3 matrix; the last one is nobody's
      for (Index i = 0; i < height; ++i) {
        const RowMap<projective, T> map{theta.as<const T>() + b * count,
                                        target_point<T>(i, height, align_corners)};
        const T* d = dpoints.as<const T>() + (b * height + i) * width * 2;
        const T* x = xs.data();
        T u = 0, ux = 0, v = 0, vx = 0, z = 0, zx = 0;
#pragma omp simd reduction(+ : u, ux, v, vx, z, zx)
        for (Index j = 0; j < width; ++j) {
          const auto p = map(x[j]);
          const T du = d[2 * j] / p.z, dv = d[2 * j + 1] / p.z;
          u += du;
          ux += du * x[j];
          v += dv;
          vx += dv * x[j];
          if constexpr (projective) {
            const T dz = p.inner ? -(du * p.u + dv * p.v) : 0;
            z += dz;
            zx += dz * x[j];
          }
        }
        const T row[9] = {ux, u * map.y, u, vx, v * map.y, v, zx, z * map.y, z};
        for (int k = 0; k < 9; ++k) sums[k] += row[k];
      }
      store(dtheta.as<T>() + b * count, count, dtheta.into, [&](Index k) { return sums[k]; });
    }
  });
}

}  // namespace

void sampling_grid_forward(Cpu, const View& theta, bool align_corners, const View& points) {
  visit_float(op, theta.dtype, [&]<class T>() {
    if (theta.shape[1] == 8)
      forward<true, T>(theta, align_corners, points);
    else
      forward<false, T>(theta, align_corners, points);
  });
}

void sampling_grid_backward(Cpu, const View& theta, bool align_corners, const View& dpoints,
                            const Target& dtheta) {
  visit_float(op, theta.dtype, [&]<class T>() {
    if (theta.shape[1] == 8)
      backward<true, T>(theta, align_corners, dpoints, dtheta);
    else
      backward<false, T>(theta, align_corners, dpoints, dtheta);
  });
}

}  // namespace fovea
