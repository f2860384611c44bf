#include "fovea/kernels/cuda_packs.h"
#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/optimizer.h"

namespace fovea {
namespace {

// One pass over values, gradients and S states. A thread takes many packs, so that what a rule works out of
// its numbers in double is worked out once. `replayed`: the rule in a captured step, else none.
template <int S, class Rule, class T>
__global__ void __launch_bounds__(block_threads)
    run_sweep(Rule now, const Rule* replayed, const double* seen, double max_norm, Index all, Index packs,
              T* w, T* g, T* a, T* b, T* c) {
  const double wanted = gradient_factor(seen, max_norm);
  if (wanted != wanted) return;
  const auto factor = static_cast<T>(wanted);
  const Rule rule = replayed ? *replayed : now;
  T* const states[] = {a, b, c};
  take_packs<pack_size<T>, 1>(detail::Flat{all}, all, packs, [&](const auto& at) {
    constexpr int size = std::decay_t<decltype(at)>::size;
    auto value = at.template load<T>(w);
    const auto gradient = at.template load<T>(g);
    Pack<T, size> s[3];
#pragma unroll
    for (int i = 0; i < S; ++i) s[i] = at.template load<T>(states[i]);
#pragma unroll
    for (int k = 0; k < size; ++k) {
      const T own = factor * gradient[k];
      if constexpr (S == 0) rule(value[k], own);
      if constexpr (S == 1) rule(value[k], own, s[0][k]);
      if constexpr (S == 2) rule(value[k], own, s[0][k], s[1][k]);
      if constexpr (S == 3) rule(value[k], own, s[0][k], s[1][k], s[2][k]);
    }
    at.store(w, value);
#pragma unroll
    for (int i = 0; i < S; ++i) at.store(states[i], s[i]);
    at.store(g, Pack<T, size>{});
  });
}

template <int S, class Rule>
void sweep(Cuda d, const Rule& rule, const Sweep& s) {
  if (s.n == 0) return;
  visit_float("optimizer", s.dtype, [&]<class T>() {
    constexpr int n = pack_size<T>;
    T *w = static_cast<T*>(s.value), *g = static_cast<T*>(s.gradient);
    const std::array states{static_cast<T*>(s.state[0]), static_cast<T*>(s.state[1]),
                            static_cast<T*>(s.state[2])};
    const Index packs = aligned<n>(w) && aligned<n>(g) && aligned<n>(states) ? s.n / n : 0;
    const Index tasks = packs > 0 ? packs : s.n;
    const Index blocks = std::min<Index>((tasks + block_threads - 1) / block_threads, 2048);
    launch(d, run_sweep<S, Rule, T>, dim3(static_cast<unsigned>(blocks)), block_threads, 0, rule,
           static_cast<const Rule*>(s.rule), s.seen, s.max_norm, s.n, packs, w, g, states[0], states[1],
           states[2]);
  });
}

template <class T>
void norm_from(Cuda d, Index n, const T* x, double* norm, const T* loss) {
  const detail::Fault* fault = detail::cuda_fault(d);
  // In double: the square of a large float gradient would overflow.
  sum_all(
      d, n, [=] __device__(Index k) { return static_cast<double>(x[k]) * static_cast<double>(x[k]); },
      [=] __device__(double all) {
        if (!loss) {
          *norm = sqrt(all);
          return;
        }
        const double none = fault->op ? std::numeric_limits<double>::quiet_NaN() : 0;
        norm[0] = static_cast<double>(*loss) + none;
        norm[1] = sqrt(all) + none;
      });
}

template <class T>
void clip(Cuda d, Index count, T* x, const double* norm, double limit) {
  constexpr int n = pack_size<T>;
  each_pack<n>(d, count, aligned<n>(x), [=] __device__(const auto& at) {
    const double factor = clip_factor(*norm, limit);
    if (!(factor < 1)) return;  // nothing is read
    auto pack = at.template load<T>(x);
#pragma unroll
    for (int k = 0; k < std::decay_t<decltype(at)>::size; ++k) pack[k] *= static_cast<T>(factor);
    at.store(x, pack);
  });
}

// x[k] = f(x[k])
template <class T, class F>
void in_place(Cuda d, Index count, T* x, F f) {
  constexpr int n = pack_size<T>;
  each_pack<n>(d, count, aligned<n>(x), [=] __device__(const auto& at) {
    auto pack = at.template load<T>(x);
#pragma unroll
    for (int k = 0; k < std::decay_t<decltype(at)>::size; ++k) pack[k] = f(pack[k]);
    at.store(x, pack);
  });
}

template <class T>
void scale(Cuda d, Index n, T* x, T factor) {
  in_place(d, n, x, [=] __device__(T old) { return old * factor; });
}

template <class T>
void clamp(Cuda d, Index n, T* x, T most) {
  in_place(d, n, x, [=] __device__(T old) {
    const T low = old < -most ? -most : old;
    return low > most ? most : low;
  });
}

template <class T>
void average_in(Cuda d, Index count, T* average, const T* x, T part) {
  constexpr int n = pack_size<T>;
  each_pack<n>(d, count, aligned<n>(average) && aligned<n>(x), [=] __device__(const auto& at) {
    auto old = at.template load<T>(average);
    const auto now = at.template load<T>(x);
#pragma unroll
    for (int k = 0; k < std::decay_t<decltype(at)>::size; ++k) old[k] += part * (now[k] - old[k]);
    at.store(average, old);
  });
}

}  // namespace

void optimizer_step(Cuda d, const FrozenRule& rule, const Sweep& s) { sweep<0>(d, rule, s); }
void optimizer_step(Cuda d, const SgdRule& rule, const Sweep& s) { sweep<0>(d, rule, s); }
void optimizer_step(Cuda d, const MomentumRule& rule, const Sweep& s) { sweep<1>(d, rule, s); }
void optimizer_step(Cuda d, const AdamRule& rule, const Sweep& s) { sweep<2>(d, rule, s); }
void optimizer_step(Cuda d, const RmsPropRule& rule, const Sweep& s) { sweep<1>(d, rule, s); }
void optimizer_step(Cuda d, const MomentumRmsPropRule& rule, const Sweep& s) { sweep<3>(d, rule, s); }
void optimizer_step(Cuda d, const GravesRmsPropRule& rule, const Sweep& s) { sweep<3>(d, rule, s); }
void optimizer_step(Cuda d, const AdadeltaRule& rule, const Sweep& s) { sweep<2>(d, rule, s); }
void optimizer_step(Cuda d, const AdagradRule& rule, const Sweep& s) { sweep<1>(d, rule, s); }

void norm_of(Cuda d, const View& x, const View& norm, const View* loss) {
  visit_float("optimizer", x.dtype, [&]<class T>() {
    norm_from(d, x.numel(), x.as<const T>(), norm.as<double>(), loss ? loss->as<const T>() : nullptr);
  });
}

void clip_in_place(Cuda d, const View& x, const View& norm, double limit) {
  visit_float("optimizer", x.dtype,
              [&]<class T>() { clip(d, x.numel(), x.as<T>(), norm.as<const double>(), limit); });
}

void scale_in_place(Cuda d, const View& x, double factor) {
  visit_float("optimizer", x.dtype,
              [&]<class T>() { scale(d, x.numel(), x.as<T>(), static_cast<T>(factor)); });
}

void clamp_in_place(Cuda d, const View& x, double limit) {
  visit_float("optimizer", x.dtype,
              [&]<class T>() { clamp(d, x.numel(), x.as<T>(), static_cast<T>(limit)); });
}

void update_average(Cuda d, const View& average, const View& x, double decay) {
  visit_float("optimizer", x.dtype, [&]<class T>() {
    average_in(d, x.numel(), average.as<T>(), x.as<const T>(), static_cast<T>(1 - decay));
  });
}

}  // namespace fovea
