#include <cmath>

#include "fovea/kernels/cuda_packs.h"
#include "fovea/kernels/cuda_philox.h"
#include "fovea/kernels/dropout.h"

namespace fovea {
namespace {

template <class T>
void forward(Cuda d, Index count, double p, RandomState random, const T* x, std::uint8_t* keep, T* y) {
  constexpr int n = pack_size<T>;
  using C = Wide<T>;
  // Generator::uniform() is the upper 24 bits times 2^-24.
  const auto least = static_cast<std::uint32_t>(std::ceil(p * 0x1p24));
  const C scale = static_cast<C>(1 / (1 - p));
  each_pack<n>(d, count, aligned<n>(x) && aligned<n>(keep) && aligned<n>(y), [=] __device__(const auto& at) {
    constexpr int size = std::decay_t<decltype(at)>::size;
    auto out = at.template load<C>(x);
    const auto words = words_at<size>(random, at.first());
    Pack<std::uint8_t, size> kept;
#pragma unroll
    for (int k = 0; k < size; ++k) {
      kept[k] = words[static_cast<std::size_t>(k)] >> 8 >= least;
      out[k] *= kept[k] ? scale : C(0);
    }
    at.store(keep, kept);
    at.store(y, out);
  });
}

template <class T>
void backward(Cuda d, Index count, double p, const T* dy, const std::uint8_t* keep, T* dx, bool add) {
  constexpr int n = pack_size<T>;
  using C = Wide<T>;
  const C scale = static_cast<C>(1 / (1 - p));
  each_pack<n>(d, count, aligned<n>(dy) && aligned<n>(keep) && aligned<n>(dx),
               [=] __device__(const auto& at) {
                 constexpr int size = std::decay_t<decltype(at)>::size;
                 auto out = at.template load<C>(dy);
                 const auto kept = at.template load<std::uint8_t>(keep);
#pragma unroll
                 for (int k = 0; k < size; ++k) out[k] *= kept[k] != 0 ? scale : C(0);
                 at.put(dx, out, add);
               });
}

}  // namespace

void dropout_forward(Cuda d, const View& x, double p, RandomState random, const View& keep, const View& y) {
  visit_wide("dropout", x.dtype, [&]<class T>() {
    forward(d, x.numel(), p, random, x.as<const T>(), keep.as<std::uint8_t>(), y.as<T>());
  });
}

void dropout_backward(Cuda d, const View& dy, double p, const View& keep, const Target& dx) {
  visit_wide("dropout", dy.dtype, [&]<class T>() {
    backward(d, dy.numel(), p, dy.as<const T>(), keep.as<const std::uint8_t>(), dx.as<T>(),
             dx.into == Into::add);
  });
}

}  // namespace fovea
