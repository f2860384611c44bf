#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/optimizer.h"

namespace fovea {
namespace {

// One pass over values, gradients and S states. A thread takes many elements, so that what a rule works out
// of its numbers in double is worked out once. `replayed`: the rule in a captured step, else none.
template <int S, class Rule, class T>
__global__ void __launch_bounds__(block_threads)
    run_sweep(Rule now, const Rule* replayed, Index n, T* w, T* g, T* a, T* b, T* c) {
  const Rule rule = replayed ? *replayed : now;
  for (Index k = Index(blockIdx.x) * blockDim.x + threadIdx.x; k < n; k += Index(gridDim.x) * blockDim.x) {
    T value = w[k], s[3] = {};
    T* const state[] = {a, b, c};
    for (int i = 0; i < S; ++i) s[i] = state[i][k];
    if constexpr (S == 0) rule(value, g[k]);
    if constexpr (S == 1) rule(value, g[k], s[0]);
    if constexpr (S == 2) rule(value, g[k], s[0], s[1]);
    if constexpr (S == 3) rule(value, g[k], s[0], s[1], s[2]);
    w[k] = value;
    for (int i = 0; i < S; ++i) state[i][k] = s[i];
    g[k] = 0;
  }
}

template <int S, class Rule>
void sweep(Cuda d, const Rule& rule, const Sweep& s) {
  if (s.n == 0) return;
  const Index blocks = std::min<Index>((s.n + block_threads - 1) / block_threads, 2048);
  visit_float("optimizer", s.dtype, [&]<class T>() {
    launch(d, run_sweep<S, Rule, T>, dim3(static_cast<unsigned>(blocks)), block_threads, 0, rule,
           static_cast<const Rule*>(s.rule), s.n, static_cast<T*>(s.value), static_cast<T*>(s.gradient),
           static_cast<T*>(s.state[0]), static_cast<T*>(s.state[1]), static_cast<T*>(s.state[2]));
  });
}

template <class T>
void norm_from(Cuda d, Index n, const T* x, double* norm) {
  // In double: the square of a large float gradient would overflow.
  sum_all(
      d, n, [=] __device__(Index k) { return static_cast<double>(x[k]) * static_cast<double>(x[k]); },
      [=] __device__(double all) { *norm = sqrt(all); });
}

template <class T>
void clip(Cuda d, Index n, T* x, const double* norm, double limit) {
  each(d, n, [=] __device__(Index k) {
    const double factor = clip_factor(*norm, limit);
    if (factor < 1) x[k] *= static_cast<T>(factor);
  });
}

template <class T>
void scale(Cuda d, Index n, T* x, T factor) {
  each(d, n, [=] __device__(Index k) { x[k] *= factor; });
}

template <class T>
void clamp(Cuda d, Index n, T* x, T most) {
  each(d, n, [=] __device__(Index k) {
    const T low = x[k] < -most ? -most : x[k];
    x[k] = low > most ? most : low;
  });
}

template <class T>
void average_in(Cuda d, Index n, T* average, const T* x, T part) {
  each(d, n, [=] __device__(Index k) { average[k] += part * (x[k] - average[k]); });
}

}  // namespace

void optimizer_step(Cuda d, const SgdRule& rule, const Sweep& s) { sweep<0>(d, rule, s); }
void optimizer_step(Cuda d, const MomentumRule& rule, const Sweep& s) { sweep<1>(d, rule, s); }
void optimizer_step(Cuda d, const AdamRule& rule, const Sweep& s) { sweep<2>(d, rule, s); }
void optimizer_step(Cuda d, const RmsPropRule& rule, const Sweep& s) { sweep<1>(d, rule, s); }
void optimizer_step(Cuda d, const MomentumRmsPropRule& rule, const Sweep& s) { sweep<3>(d, rule, s); }
void optimizer_step(Cuda d, const GravesRmsPropRule& rule, const Sweep& s) { sweep<3>(d, rule, s); }
void optimizer_step(Cuda d, const AdadeltaRule& rule, const Sweep& s) { sweep<2>(d, rule, s); }
void optimizer_step(Cuda d, const AdagradRule& rule, const Sweep& s) { sweep<1>(d, rule, s); }

void norm_of(Cuda d, const View& x, const View& norm) {
  visit_float("optimizer", x.dtype,
              [&]<class T>() { norm_from(d, x.numel(), x.as<const T>(), norm.as<double>()); });
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
