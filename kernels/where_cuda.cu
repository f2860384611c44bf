#include "fovea/kernels/cuda_packs.h"
#include "fovea/kernels/where.h"

namespace fovea {
namespace {

template <class T>
void forward(Cuda d, const View& mask, const View& x, double a, const View& y, const View& z) {
  constexpr int n = pack_size<T, std::uint8_t>;
  const auto* m = mask.as<const std::uint8_t>();
  const T *p = x.as<const T>(), *q = y.as<const T>(), value = convert<T>(a);
  T* out = z.as<T>();
  const Shape& x_strides = x ? x.strides : y.strides;
  each_pack<n>(d, Rows<4>(z.shape, {&mask.strides, &x_strides, &y.strides, &z.strides}),
               aligned<n>(m) && aligned<n>(p) && aligned<n>(q) && aligned<n>(out),
               [=] __device__(const auto& at) {
                 constexpr int size = std::decay_t<decltype(at)>::size;
                 const auto chosen = at.template load<std::uint8_t>(m, 0);
                 auto from = at.template load<T>(q, 2);
                 Pack<T, size> other;
                 if (p) other = at.template load<T>(p, 1);
#pragma unroll
                 for (int k = 0; k < size; ++k)
                   if (chosen[k] != 0) from[k] = p ? other[k] : value;
                 at.store(out, from, 3);
               });
}

template <class T>
void backward(Cuda d, const View& mask, bool side, const View& dy, const View& dx, bool add) {
  using C = Wide<T>;
  constexpr int n = pack_size<T, std::uint8_t>;
  const auto* m = mask.as<const std::uint8_t>();
  const T* up = dy.as<const T>();
  T* to = dx.as<T>();
  each_pack<n>(d, Rows<3>(dx.shape, {&mask.strides, &dy.strides, &dx.strides}),
               aligned<n>(m) && aligned<n>(up) && aligned<n>(to), [=] __device__(const auto& at) {
                 constexpr int size = std::decay_t<decltype(at)>::size;
                 const auto chosen = at.template load<std::uint8_t>(m, 0);
                 auto g = at.template load<C>(up, 1);
#pragma unroll
                 for (int k = 0; k < size; ++k)
                   if ((chosen[k] != 0) != side) g[k] = C(0);
                 at.put(to, g, add, 2);
               });
}

}  // namespace

void where_forward(Cuda d, const View& mask, const View& x, double a, const View& y, const View& z) {
  visit_any(z.dtype, [&]<class T>() { forward<T>(d, mask, x, a, y, z); });
}

void where_backward(Cuda d, const View& mask, bool side, const View& dy, const View& dx, Into into) {
  visit_wide("where", dy.dtype, [&]<class T>() { backward<T>(d, mask, side, dy, dx, into == Into::add); });
}

}  // namespace fovea
