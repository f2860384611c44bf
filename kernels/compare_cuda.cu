#include "fovea/kernels/compare.h"
#include "fovea/kernels/convert.h"
#include "fovea/kernels/cuda_places.h"

namespace fovea {
namespace {

template <class T>
__device__ bool holds(Comparison comparison, T a, T b) {
  switch (comparison) {
    case Comparison::less:
      return a < b;
    case Comparison::less_equal:
      return a <= b;
    case Comparison::greater:
      return a > b;
    case Comparison::greater_equal:
      return a >= b;
    case Comparison::equal:
      return a == b;
    default:
      return a != b;
  }
}

// C: what the elements are compared as.
template <class C, class T>
void pairs(Cuda d, Comparison comparison, const View& x, const View& y, const View& z) {
  const T *p = x.as<const T>(), *q = y.as<const T>();
  auto* out = z.as<std::uint8_t>();
  each_place(d, Rows<3>(z.shape, {&x.strides, &y.strides, &z.strides}), [=] __device__(const Places<3>& at) {
    out[at[2]] = holds(comparison, convert<C>(p[at[0]]), convert<C>(q[at[1]]));
  });
}

template <class C, class T>
void with_number(Cuda d, Comparison comparison, const View& x, C y, const View& z) {
  const T* p = x.as<const T>();
  auto* out = z.as<std::uint8_t>();
  each_place(d, Rows<2>(z.shape, {&x.strides, &z.strides}), [=] __device__(const Places<2>& at) {
    out[at[1]] = holds(comparison, convert<C>(p[at[0]]), y);
  });
}

}  // namespace

void compare_forward(Cuda d, Comparison comparison, const View& x, const View& y, const View& z) {
  visit_any(x.dtype, [&]<class T>() { pairs<Wide<T>, T>(d, comparison, x, y, z); });
}

void compare_forward(Cuda d, Comparison comparison, const View& x, double y, const View& z) {
  visit_any(x.dtype, [&]<class T>() {
    using C = std::conditional_t<std::is_same_v<T, float>, float, double>;
    with_number<C, T>(d, comparison, x, static_cast<C>(y), z);
  });
}

void logic_forward(Cuda d, Logic logic, const View& x, const View& y, const View& z) {
  const auto *p = x.as<const std::uint8_t>(), *q = y.as<const std::uint8_t>();
  auto* out = z.as<std::uint8_t>();
  each_place(d, Rows<3>(z.shape, {&x.strides, &y.strides, &z.strides}), [=] __device__(const Places<3>& at) {
    const bool a = p[at[0]] != 0, b = q[at[1]] != 0;
    out[at[2]] = logic == Logic::both ? a && b : logic == Logic::either ? a || b : a != b;
  });
}

}  // namespace fovea
