#include <cmath>

#include "fovea/kernels/cuda_philox.h"
#include "fovea/kernels/dropout.h"

namespace fovea {
namespace {

template <class T>
void forward(Cuda d, Index n, double p, RandomState random, const T* x, std::uint8_t* keep, T* y) {
  // Generator::uniform() is the upper 24 bits times 2^-24.
  const auto least = static_cast<std::uint32_t>(std::ceil(p * 0x1p24));
  const T scale = static_cast<T>(1 / (1 - p));
  each_words<1>(d, random, n, [=] __device__(Index i, const std::uint32_t* word) {
    const bool kept = *word >> 8 >= least;
    keep[i] = kept;
    y[i] = x[i] * (kept ? scale : T(0));
  });
}

template <class T>
void backward(Cuda d, Index n, double p, const T* dy, const std::uint8_t* keep, T* dx, bool add) {
  const T scale = static_cast<T>(1 / (1 - p));
  each(d, n, [=] __device__(Index i) { put(dx + i, dy[i] * (keep[i] != 0 ? scale : T(0)), add); });
}

}  // namespace

void dropout_forward(Cuda d, const View& x, double p, RandomState random, const View& keep, const View& y) {
  visit_float("dropout", x.dtype, [&]<class T>() {
    forward(d, x.numel(), p, random, x.as<const T>(), keep.as<std::uint8_t>(), y.as<T>());
  });
}

void dropout_backward(Cuda d, const View& dy, double p, const View& keep, const Target& dx) {
  visit_float("dropout", dy.dtype, [&]<class T>() {
    backward(d, dy.numel(), p, dy.as<const T>(), keep.as<const std::uint8_t>(), dx.as<T>(),
             dx.into == Into::add);
  });
}

}  // namespace fovea
