#ifndef FOVEA_KERNELS_POINTWISE_CUDA_H_
#define FOVEA_KERNELS_POINTWISE_CUDA_H_

#include <utility>

#include "fovea/kernels/cuda_places.h"
#include "fovea/kernels/pointwise.h"
#include "fovea/kernels/reduce.h"

/// The pointwise ops on CUDA: one kernel for each struct of the list, direction and dtype.
/// pointwise_f32_cuda.cu and pointwise_f64_cuda.cu instantiate a dtype each, so that they compile side by
/// side.

namespace fovea::pointwise {

struct Arguments {
  Cuda d;
  std::span<const View> x;
  Scalars<double> scalars;
  View y, dy;
  std::span<const Target> dx;
};

/// Op `id` forwards or backwards on elements of type T.
template <class T>
void run_forward(int id, const Arguments& a);
template <class T>
void run_backward(int id, const Arguments& a);
template <>
void run_forward<float>(int id, const Arguments& a);
template <>
void run_backward<float>(int id, const Arguments& a);
template <>
void run_forward<double>(int id, const Arguments& a);
template <>
void run_backward<double>(int id, const Arguments& a);

template <class F, class X, class T, std::size_t... I>
__device__ X evaluate(const X* x, Scalars<T> s, std::index_sequence<I...>) {
  if constexpr (F::scalars > 0)
    return F::f(x[I]..., s);
  else
    return F::f(x[I]...);
}

template <class F, class T>
void forward(const Arguments& a) {
  constexpr int N = F::arity;
  const Scalars<T> s{static_cast<T>(a.scalars.a), static_cast<T>(a.scalars.b)};
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
  each_place(a.d, packed ? Rows<N + 1>(a.y.numel()) : Rows<N + 1>(a.y.shape, strides),
             [=] __device__(const Places<N + 1>& at) {
               T in[N];
               for (int i = 0; i < N; ++i) in[i] = x[i][at[i]];
               y[at[N]] = evaluate<F>(in, s, std::make_index_sequence<N>());
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

// A gradient in whose places several elements meet is first written out, one for each element, and then
// summed.
template <class F, class T>
void backward(const Arguments& a) {
  constexpr int N = F::arity;
  constexpr bool reads_x = !HasSlope<F>;
  const Scalars<T> s{static_cast<T>(a.scalars.a), static_cast<T>(a.scalars.b)};
  const Index n = a.dy.numel();
  bool summed[N], any = false;
  for (std::size_t i = 0; i < N; ++i) {
    summed[i] = false;
    for (int k = 0; k < a.dy.shape.rank(); ++k)
      summed[i] |= a.dx[i] && a.dx[i].dx.strides[k] == 0 && a.dy.shape[k] != 1;
    any |= summed[i];
  }
  const DeviceScratch<T> room(a.d, any ? N * n : 0);
  std::array<const T*, N> x{};
  std::array<T*, N> dx{};
  std::array<bool, N> add;
  std::array<const Shape*, 2 * N + 1> strides;
  strides[2 * N] = &a.dy.strides;
  for (std::size_t i = 0; i < N; ++i) {
    x[i] = reads_x ? a.x[i].as<const T>() : a.dy.as<const T>();
    strides[i] = reads_x ? &a.x[i].strides : &a.dy.strides;
    dx[i] = summed[i] ? room.data() + static_cast<Index>(i) * n : a.dx[i].as<T>();
    strides[N + i] = a.dx[i] && !summed[i] ? &a.dx[i].dx.strides : &a.dy.strides;
    add[i] = !summed[i] && a.dx[i].into == Into::add;
  }
  const T *y = a.y.as<const T>(), *dy = a.dy.as<const T>();
  each_place(a.d, Rows<2 * N + 1>(a.dy.shape, strides), [=] __device__(const Places<2 * N + 1>& at) {
    T in[N], g[N];
    for (int i = 0; i < N; ++i) in[i] = x[i][at[i]];
    slopes<F>(in, s, HasSlope<F> ? y[at[2 * N]] : T(0), dy[at[2 * N]], g);
    for (int i = 0; i < N; ++i)
      if (dx[i]) put(dx[i] + at[N + i], g[i], add[i]);
  });
  for (std::size_t i = 0; i < N; ++i)
    if (summed[i])
      sum_forward(a.d, {dx[i], a.dy.dtype, a.dy.shape, a.dy.strides, true}, 1, a.dx[i].dx, a.dx[i].into);
}

template <class T, class... F>
constexpr auto forward_table(std::tuple<F...>*) {
  return std::array{&forward<F, T>...};
}
template <class T, class... F>
constexpr auto backward_table(std::tuple<F...>*) {
  return std::array{&backward<F, T>...};
}

}  // namespace fovea::pointwise

#endif  // FOVEA_KERNELS_POINTWISE_CUDA_H_
