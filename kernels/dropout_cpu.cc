#include <cmath>

#include "fovea/kernels/dropout.h"
#include "fovea/kernels/loops.h"

namespace fovea {
namespace {

// Sets keep for elements [begin, end).
void draw(RandomState random, std::uint32_t least, std::uint8_t* keep, Index begin, Index end) {
  for_words<1>(random, begin, end, [=](Index i, Index n, const std::uint32_t* words) {
    // 1 where the upper 24 bits are >= least, by subtraction: a comparison of words does not give
    // bytes in vector code
    store(keep + i, n, Into::set,
          [=](Index k) { return static_cast<std::uint8_t>(1 ^ (((words[k] >> 8) - least) >> 31)); });
  });
}

}  // namespace

void dropout_forward(Cpu, const View& x, double p, RandomState random, const View& keep, const View& y) {
  // Generator::uniform() is the upper 24 bits times 2^-24.
  const auto least = static_cast<std::uint32_t>(std::ceil(p * 0x1p24));
  visit_float("dropout", x.dtype, [&]<class T>() {
    const T scale = static_cast<T>(1 / (1 - p));
    const T* from = x.as<const T>();
    T* to = y.as<T>();
    auto* k = keep.as<std::uint8_t>();
    parallel_for(x.numel(), 1, cheap_grain / 4, [&](Index begin, Index end) {
      draw(random, least, k, begin, end);
      store(to + begin, end - begin, Into::set,
            [&](Index i) { return from[begin + i] * (scale * static_cast<T>(k[begin + i])); });
    });
  });
}

void dropout_backward(Cpu, const View& dy, double p, const View& keep, const Target& dx) {
  visit_float("dropout", dy.dtype, [&]<class T>() {
    const T scale = static_cast<T>(1 / (1 - p));
    const T* from = dy.as<const T>();
    const auto* k = keep.as<const std::uint8_t>();
    parallel_for(dy.numel(), 1, cheap_grain, [&](Index begin, Index end) {
      store(dx.as<T>() + begin, end - begin, dx.into,
            [&](Index i) { return from[begin + i] * (scale * static_cast<T>(k[begin + i])); });
    });
  });
}

}  // namespace fovea
