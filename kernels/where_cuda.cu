#include "fovea/kernels/convert.h"
#include "fovea/kernels/cuda_places.h"
#include "fovea/kernels/where.h"

namespace fovea {
namespace {

template <class T>
void forward(Cuda d, const View& mask, const View& x, double a, const View& y, const View& z) {
  const auto* m = mask.as<const std::uint8_t>();
  const T *p = x.as<const T>(), *q = y.as<const T>(), value = convert<T>(a);
  T* out = z.as<T>();
  const Shape& x_strides = x ? x.strides : y.strides;
  each_place(d, Rows<4>(z.shape, {&mask.strides, &x_strides, &y.strides, &z.strides}),
             [=] __device__(const Places<4>& at) {
               out[at[3]] = m[at[0]] == 0 ? q[at[2]] : p ? p[at[1]] : value;
             });
}

template <class T>
void backward(Cuda d, const View& mask, bool side, const View& dy, const View& dx, bool add) {
  const auto* m = mask.as<const std::uint8_t>();
  const T* up = dy.as<const T>();
  T* to = dx.as<T>();
  each_place(d, Rows<3>(dx.shape, {&mask.strides, &dy.strides, &dx.strides}),
             [=] __device__(const Places<3>& at) {
               put(to + at[2], (m[at[0]] != 0) == side ? up[at[1]] : T(0), add);
             });
}

}  // namespace

void where_forward(Cuda d, const View& mask, const View& x, double a, const View& y, const View& z) {
  visit_any(z.dtype, [&]<class T>() { forward<T>(d, mask, x, a, y, z); });
}

void where_backward(Cuda d, const View& mask, bool side, const View& dy, const View& dx, Into into) {
  visit_float("where", dy.dtype, [&]<class T>() { backward<T>(d, mask, side, dy, dx, into == Into::add); });
}

}  // namespace fovea
