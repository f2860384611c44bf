#include "fovea/kernels/copy.h"
#include "fovea/kernels/cuda_packs.h"

namespace fovea {
namespace {

template <class To, class From>
void copied(Cuda d, const View& to, const View& from, bool add) {
  constexpr int n = pack_size<To, From>;
  To* y = to.as<To>();
  const From* x = from.as<const From>();
  const Rows<2> rows =
      to.packed && from.packed ? Rows<2>(to.numel()) : Rows<2>(to.shape, {&to.strides, &from.strides});
  each_pack<n, 2>(d, rows, aligned<n>(y) && aligned<n>(x),
                  [=] __device__(const auto& at) { at.put(y, at.template load<Wide<To>>(x, 1), add, 0); });
}

template <class T>
void filled(Cuda d, const View& to, double value) {
  constexpr int n = pack_size<T>;
  T* y = to.as<T>();
  const T x = convert<T>(value);
  each_pack<n>(d, to.numel(), aligned<n>(y), [=] __device__(const auto& at) {
    constexpr int size = std::decay_t<decltype(at)>::size;
    Pack<T, size> all;
#pragma unroll
    for (int k = 0; k < size; ++k) all[k] = x;
    at.store(y, all);
  });
}

template <class T>
void counted(Cuda d, const View& to) {
  T* y = to.as<T>();
  each(d, to.numel(), [=] __device__(Index i) { y[i] = convert<T>(static_cast<double>(i)); });
}

}  // namespace

void copy(Cuda d, const View& to, const View& from, Into into) {
  visit_any(to.dtype, [&]<class To>() {
    visit_any(from.dtype, [&]<class From>() { copied<To, From>(d, to, from, into == Into::add); });
  });
}

void fill(Cuda d, const View& to, double value) {
  visit_any(to.dtype, [&]<class T>() { filled<T>(d, to, value); });
}

void count_up(Cuda d, const View& to) {
  visit_any(to.dtype, [&]<class T>() { counted<T>(d, to); });
}

}  // namespace fovea
