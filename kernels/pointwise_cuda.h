#ifndef FOVEA_KERNELS_POINTWISE_CUDA_H_
#define FOVEA_KERNELS_POINTWISE_CUDA_H_

#include <utility>

#include "fovea/kernels/cuda_packs.h"
#include "fovea/kernels/pointwise.h"

/// The pointwise ops on CUDA: one kernel for each struct of the list, direction and dtype.
/// pointwise_f32_cuda.cu, pointwise_f64_cuda.cu and pointwise_bf16_cuda.cu instantiate a dtype each, so that
/// they compile side by side. bf16 is computed in float and rounded when it is stored.

namespace fovea::pointwise {

struct Arguments {
  Cuda d;
  std::span<const View> x;
  Scalars<double> scalars;
  View y, dy;
  std::span<const Target> dx;
};

template <class F, class X, class T, std::size_t... I>
__device__ X evaluate(const X* x, Scalars<T> s, std::index_sequence<I...>) {
  if constexpr (F::scalars > 0)
    return F::f(x[I]..., s);
  else
    return F::f(x[I]...);
}

template <class F, class T>
void forward(const Arguments& a) {
  constexpr int N = F::arity, n = pack_size<T>, parts = N == 1 ? 2 : 1;
  using C = Wide<T>;
  const Scalars<C> s{static_cast<C>(a.scalars.a), static_cast<C>(a.scalars.b)};
  std::array<const T*, N> x{};
  std::array<const Shape*, N + 1> strides;
  strides[N] = &a.y.strides;
  bool packed = true;
  for (std::size_t i = 0; i < N; ++i) {
    x[i] = a.x[i].as<const T>();
    strides[i] = &a.x[i].strides;
    packed &= a.x[i].packed;
  }
  T* y = a.y.as<T>();
  each_pack<n, parts>(a.d, packed ? Rows<N + 1>(a.y.numel()) : Rows<N + 1>(a.y.shape, strides),
                      aligned<n>(x) && aligned<n>(y), [=] __device__(const auto& at) {
                        constexpr int size = std::decay_t<decltype(at)>::size;
                        Pack<C, size> in[N], out;
#pragma unroll
                        for (int i = 0; i < N; ++i) in[i] = at.template load<C>(x[i], i);
#pragma unroll
                        for (int k = 0; k < size; ++k) {
                          C v[N];
                          for (int i = 0; i < N; ++i) v[i] = in[i][k];
                          out[k] = evaluate<F>(v, s, std::make_index_sequence<N>());
                        }
                        at.store(y, out, N);
                      });
}

/// The partial derivatives at one element times dy.
template <class F, class T>
__device__ void slopes(const T* in, Scalars<T> s, T y, T dy, T* g) {
  constexpr int N = F::arity;
  if constexpr (HasSlope<F>) {
    g[0] = dy * F::slope(y);
  } else if constexpr (HasPartials<F>) {
    F::partials(in, g);
    for (int i = 0; i < N; ++i) g[i] *= dy;
  } else {
    using D = math::Dual<T, N>;
    const D v = [&]<std::size_t... I>(std::index_sequence<I...>) {
      const D x[] = {D::variable(in[I], static_cast<int>(I))...};
      return evaluate<F>(x, s, std::make_index_sequence<N>());
    }
    (std::make_index_sequence<N>());
    for (int i = 0; i < N; ++i) g[i] = dy * v.d[i];
  }
}

/// The sum of `terms` where several meet in a place of dx, set or added.
void sum_into(Cuda d, const View& terms, const Target& dx);

// A gradient in whose places several elements meet is first written out, one for each element, and then
// summed.
template <class F, class T>
void backward(const Arguments& a) {
  constexpr int N = F::arity, n = pack_size<T>;
  constexpr bool reads_y = HasSlope<F>, reads_x = !HasSlope<F> && !F::linear;
  using C = Wide<T>;
  const Scalars<C> s{static_cast<C>(a.scalars.a), static_cast<C>(a.scalars.b)};
  const Index count = a.dy.numel();
  bool summed[N], any = false;
  for (std::size_t i = 0; i < N; ++i) {
    summed[i] = false;
    for (int k = 0; k < a.dy.shape.rank(); ++k)
      summed[i] |= a.dx[i] && a.dx[i].dx.strides[k] == 0 && a.dy.shape[k] != 1;
    any |= summed[i];
  }
  const Index room_each = (count + n - 1) / n * n;  // aligned
  const DeviceScratch<C> room(a.d, any ? N * room_each : 0);
  std::array<const T*, N> x{};
  std::array<T*, N> dx{};
  std::array<C*, N> terms{};
  std::array<bool, N> add;
  std::array<const Shape*, 2 * N + 1> strides;
  strides[2 * N] = &a.dy.strides;
  for (std::size_t i = 0; i < N; ++i) {
    x[i] = reads_x ? a.x[i].as<const T>() : nullptr;
    strides[i] = reads_x ? &a.x[i].strides : &a.dy.strides;
    if (summed[i]) terms[i] = room.data() + static_cast<Index>(i) * room_each;
    dx[i] = summed[i] ? nullptr : a.dx[i].as<T>();
    strides[N + i] = dx[i] ? &a.dx[i].dx.strides : &a.dy.strides;
    add[i] = a.dx[i].into == Into::add;
  }
  const T *y = a.y.as<const T>(), *dy = a.dy.as<const T>();
  each_pack<n>(a.d, Rows<2 * N + 1>(a.dy.shape, strides),
               aligned<n>(x) && aligned<n>(dx) && aligned<n>(terms) && aligned<n>(y) && aligned<n>(dy),
               [=] __device__(const auto& at) {
                 constexpr int size = std::decay_t<decltype(at)>::size;
                 Pack<C, size> in[N]{}, out[N], g[N];
#pragma unroll
                 for (int i = 0; i < N; ++i)
                   if (reads_x) in[i] = at.template load<C>(x[i], i);
                 if (reads_y) out[0] = at.template load<C>(y, 2 * N);
                 const auto up = at.template load<C>(dy, 2 * N);
#pragma unroll
                 for (int k = 0; k < size; ++k) {
                   C v[N], slope[N];
                   for (int i = 0; i < N; ++i) v[i] = in[i][k];
                   slopes<F>(v, s, reads_y ? out[0][k] : C(0), up[k], slope);
                   for (int i = 0; i < N; ++i) g[i][k] = slope[i];
                 }
#pragma unroll
                 for (int i = 0; i < N; ++i) {
                   if (terms[i]) at.store(terms[i], g[i], N + i);
                   if (dx[i]) at.put(dx[i], g[i], add[i], N + i);
                 }
               });
  for (std::size_t i = 0; i < N; ++i)
    if (summed[i]) sum_into(a.d, {terms[i], dtype_of<C>, a.dy.shape, a.dy.strides, true}, a.dx[i]);
}

template <class T, class... F>
constexpr auto forward_table(std::tuple<F...>*) {
  return std::array{&forward<F, T>...};
}
template <class T, class... F>
constexpr auto backward_table(std::tuple<F...>*) {
  return std::array{&backward<F, T>...};
}

/// Op `id` forwards or backwards on elements of type T. One file for each type makes them.
template <class T>
void run_forward(int id, const Arguments& a) {
  static constexpr auto table = forward_table<T>(static_cast<List*>(nullptr));
  table[static_cast<std::size_t>(id)](a);
}
template <class T>
void run_backward(int id, const Arguments& a) {
  static constexpr auto table = backward_table<T>(static_cast<List*>(nullptr));
  table[static_cast<std::size_t>(id)](a);
}
extern template void run_forward<float>(int, const Arguments&);
extern template void run_backward<float>(int, const Arguments&);
extern template void run_forward<double>(int, const Arguments&);
extern template void run_backward<double>(int, const Arguments&);
extern template void run_forward<bf16>(int, const Arguments&);
extern template void run_backward<bf16>(int, const Arguments&);

}  // namespace fovea::pointwise

#endif  // FOVEA_KERNELS_POINTWISE_CUDA_H_
