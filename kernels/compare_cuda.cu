#include "fovea/kernels/compare.h"
#include "fovea/kernels/cuda_packs.h"

namespace fovea {
namespace {

// Calls f with the comparison as a function: chosen once for a pack, not for each of its elements.
template <class F>
__device__ void with(Comparison comparison, F f) {
  switch (comparison) {
    case Comparison::less:
      return f([](auto a, auto b) { return a < b; });
    case Comparison::less_equal:
      return f([](auto a, auto b) { return a <= b; });
    case Comparison::greater:
      return f([](auto a, auto b) { return a > b; });
    case Comparison::greater_equal:
      return f([](auto a, auto b) { return a >= b; });
    case Comparison::equal:
      return f([](auto a, auto b) { return a == b; });
    default:
      return f([](auto a, auto b) { return a != b; });
  }
}
template <class F>
__device__ void with(Logic logic, F f) {
  switch (logic) {
    case Logic::both:
      return f([](bool a, bool b) { return a && b; });
    case Logic::either:
      return f([](bool a, bool b) { return a || b; });
    default:
      return f([](bool a, bool b) { return a != b; });
  }
}

// C: what the elements are compared as.
template <class C, class T, class Relation>
void pairs(Cuda d, Relation relation, const View& x, const View& y, const View& z) {
  constexpr int n = pack_size<T, std::uint8_t>;
  const T *p = x.as<const T>(), *q = y.as<const T>();
  auto* out = z.as<std::uint8_t>();
  each_pack<n>(d, Rows<3>(z.shape, {&x.strides, &y.strides, &z.strides}),
               aligned<n>(p) && aligned<n>(q) && aligned<n>(out), [=] __device__(const auto& at) {
                 constexpr int size = std::decay_t<decltype(at)>::size;
                 const auto a = at.template load<C>(p, 0), b = at.template load<C>(q, 1);
                 Pack<std::uint8_t, size> c;
                 with(relation, [&](auto holds) {
#pragma unroll
                   for (int k = 0; k < size; ++k) c[k] = holds(a[k], b[k]);
                 });
                 at.store(out, c, 2);
               });
}

template <class C, class T>
void with_number(Cuda d, Comparison comparison, const View& x, C y, const View& z) {
  constexpr int n = pack_size<T, std::uint8_t>;
  const T* p = x.as<const T>();
  auto* out = z.as<std::uint8_t>();
  each_pack<n, 2>(d, Rows<2>(z.shape, {&x.strides, &z.strides}), aligned<n>(p) && aligned<n>(out),
                  [=] __device__(const auto& at) {
                    constexpr int size = std::decay_t<decltype(at)>::size;
                    const auto a = at.template load<T>(p, 0);
                    Pack<std::uint8_t, size> c;
                    with(comparison, [&](auto holds) {
#pragma unroll
                      for (int k = 0; k < size; ++k) c[k] = holds(convert<C>(a[k]), y);
                    });
                    at.store(out, c, 1);
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
  pairs<bool, std::uint8_t>(d, logic, x, y, z);
}

}  // namespace fovea
