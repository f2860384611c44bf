#include <cmath>

#include "fovea/kernels/loops.h"
#include "fovea/kernels/positions.h"
#include "fovea/kernels/scratch.h"

namespace fovea {

void position_table(Cpu, Index first, const View& y) {
  const Index L = y.shape[0], D = y.shape[1];
  visit_float("sinusoidal_positions", y.dtype, [&]<class T>() {
    T* to = y.as<T>();
    const Rotary turns{10000, static_cast<double>(first), false, false};
    for (Index l = 0; l < L; ++l)
      for (Index k = 0; k < D; ++k) {
        const double angle = turns.angle(l, k / 2, D);
        *to++ = static_cast<T>(k % 2 == 0 ? std::sin(angle) : std::cos(angle));
      }
  });
}

void rotate(Cpu, const Rotary& rotary, const View& x, const Target& y) {
  const int rank = x.shape.rank();
  const Index L = x.shape[rank - 2], D = x.shape[rank - 1], half = D / 2;
  if (x.numel() == 0) return;
  visit_float("rotary", x.dtype, [&]<class T>() {
    const Scratch<T> cosines(L * half), sines(L * half);
    for (Index l = 0; l < L; ++l)
      for (Index i = 0; i < half; ++i) {
        const double angle = rotary.angle(l, i, D);
        cosines[l * half + i] = static_cast<T>(std::cos(angle));
        sines[l * half + i] = static_cast<T>(std::sin(angle));
      }
    // Of a pair, where the first number is and how far away the second.
    const Index step = rotary.interleaved ? 2 : 1, other = rotary.interleaved ? 1 : half;
    parallel_for(x.numel() / D, D, cheap_grain, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) {
        const T *from = x.as<const T>() + r * D, *c = cosines.data() + r % L * half,
                *s = sines.data() + r % L * half;
        T* to = y.as<T>() + r * D;
        const auto turn = [=](Index at, Index beside) {
#pragma GCC ivdep
          for (Index i = 0; i < half; ++i) {
            const Index u = i * at, v = u + beside;
            const T first = from[u] * c[i] - from[v] * s[i], second = from[v] * c[i] + from[u] * s[i];
            to[u] = y.into == Into::add ? to[u] + first : first;
            to[v] = y.into == Into::add ? to[v] + second : second;
          }
        };
        turn(step, other);
      }
    });
  });
}

}  // namespace fovea
