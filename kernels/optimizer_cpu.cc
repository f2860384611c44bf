#include <algorithm>
#include <numeric>
#include <vector>

#include "fovea/kernels/optimizer.h"
#include "fovea/kernels/parallel.h"

namespace fovea {
namespace {

// One pass over values, gradients and S states.
template <int S, class Rule>
void sweep(const Rule rule, const Sweep& s) {
  const double factor = gradient_factor(s.seen, s.max_norm);
  if (factor != factor) return;
  visit_float("optimizer", s.dtype, [&]<class T>() {
    T *w = static_cast<T*>(s.value), *g = static_cast<T*>(s.gradient);
    T *a = static_cast<T*>(s.state[0]), *b = static_cast<T*>(s.state[1]), *c = static_cast<T*>(s.state[2]);
    parallel_for(s.n, 1, cheap_grain, [=](Index begin, Index end) {
      const Rule r = rule;  // a local, which stores cannot reach, so that its numbers stay in registers
      const T f = static_cast<T>(factor);
#pragma GCC ivdep
      for (Index k = begin; k < end; ++k) {
        const T gradient = f * g[k];
        if constexpr (S == 0) r(w[k], gradient);
        if constexpr (S == 1) r(w[k], gradient, a[k]);
        if constexpr (S == 2) r(w[k], gradient, a[k], b[k]);
        if constexpr (S == 3) r(w[k], gradient, a[k], b[k], c[k]);
        g[k] = 0;
      }
    });
  });
}

constexpr Index piece = 4096;  // summed by one thread, so that the result does not depend on their number

// In double: the square of a large float gradient would overflow. In many sums at once, which need not wait
// for each other.
template <class T>
double squares(const T* x, Index n) {
  constexpr Index lanes = 32;
  double sums[lanes] = {};
  Index k = 0;
  for (; k + lanes <= n; k += lanes)
    for (Index j = 0; j < lanes; ++j)
      sums[j] += static_cast<double>(x[k + j]) * static_cast<double>(x[k + j]);
  for (; k < n; ++k) sums[0] += static_cast<double>(x[k]) * static_cast<double>(x[k]);
  return std::accumulate(sums, sums + lanes, 0.);
}

}  // namespace

void optimizer_step(Cpu, const FrozenRule& rule, const Sweep& s) { sweep<0>(rule, s); }
void optimizer_step(Cpu, const SgdRule& rule, const Sweep& s) { sweep<0>(rule, s); }
void optimizer_step(Cpu, const MomentumRule& rule, const Sweep& s) { sweep<1>(rule, s); }
void optimizer_step(Cpu, const AdamRule& rule, const Sweep& s) { sweep<2>(rule, s); }
void optimizer_step(Cpu, const RmsPropRule& rule, const Sweep& s) { sweep<1>(rule, s); }
void optimizer_step(Cpu, const MomentumRmsPropRule& rule, const Sweep& s) { sweep<3>(rule, s); }
void optimizer_step(Cpu, const GravesRmsPropRule& rule, const Sweep& s) { sweep<3>(rule, s); }
void optimizer_step(Cpu, const AdadeltaRule& rule, const Sweep& s) { sweep<2>(rule, s); }
void optimizer_step(Cpu, const AdagradRule& rule, const Sweep& s) { sweep<1>(rule, s); }

void norm_of(Cpu, const View& x, const View& norm, const View* loss) {
  visit_float("optimizer", x.dtype, [&]<class T>() {
    const T* p = x.as<T>();
    const Index n = x.numel(), pieces = (n + piece - 1) / piece;
    std::vector<double> sums(static_cast<std::size_t>(pieces));
    parallel_for(pieces, piece, cheap_grain, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i)
        sums[static_cast<std::size_t>(i)] = squares(p + i * piece, std::min(piece, n - i * piece));
    });
    auto* out = norm.as<double>();
    if (loss) *out++ = static_cast<double>(*loss->as<const T>());
    *out = std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.));
  });
}

void clip_in_place(Cpu d, const View& x, const View& norm, double limit) {
  const double factor = clip_factor(*norm.as<const double>(), limit);
  if (factor < 1) scale_in_place(d, x, factor);
}

void scale_in_place(Cpu, const View& x, double factor) {
  visit_float("optimizer", x.dtype, [&]<class T>() {
    T* p = x.as<T>();
    parallel_for(x.numel(), 1, cheap_grain, [=](Index begin, Index end) {
      const T f = static_cast<T>(factor);
#pragma GCC ivdep
      for (Index k = begin; k < end; ++k) p[k] *= f;
    });
  });
}

void clamp_in_place(Cpu, const View& x, double limit) {
  visit_float("optimizer", x.dtype, [&]<class T>() {
    T* p = x.as<T>();
    parallel_for(x.numel(), 1, cheap_grain, [=](Index begin, Index end) {
      const T most = static_cast<T>(limit);
#pragma GCC ivdep
      for (Index k = begin; k < end; ++k) {
        const T low = p[k] < -most ? -most : p[k];
        p[k] = low > most ? most : low;
      }
    });
  });
}

void update_average(Cpu, const View& average, const View& x, double decay) {
  visit_float("optimizer", x.dtype, [&]<class T>() {
    T* a = average.as<T>();
    const T* p = x.as<const T>();
    parallel_for(x.numel(), 1, cheap_grain, [=](Index begin, Index end) {
      const T part = static_cast<T>(1 - decay);
#pragma GCC ivdep
      for (Index k = begin; k < end; ++k) a[k] += part * (p[k] - a[k]);
    });
  });
}

}  // namespace fovea
