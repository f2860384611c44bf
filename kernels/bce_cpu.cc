#include "fovea/kernels/bce.h"
#include "fovea/kernels/loss.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

constexpr auto op = "bce_with_logits";

// Calls run with f, or with w f.
template <class T, class F, class R>
void weighted(const View& w, F f, R&& run) {
  if (const T* p = w.as<const T>())
    run([=](Index k) { return p[k] * f(k); });
  else
    run(f);
}

}  // namespace

void bce_forward(Cpu, const View& x, const View& y, const View& w, double scale, const View& loss) {
  visit_float(op, x.dtype, [&]<class T>() {
    const T *px = x.as<const T>(), *py = y.as<const T>();
    weighted<T>(
        w, [=](Index k) { return math::softplus(px[k]) - px[k] * py[k]; },
        [&](auto f) { reduce_loss<T>(loss, x.numel(), scale, costly_grain, f); });
  });
}

void bce_backward_logits(Cpu, const View& x, const View& y, const View& w, double scale, const View& dy,
                         const Target& dx) {
  visit_float(op, x.dtype, [&]<class T>() {
    const T *px = x.as<const T>(), *py = y.as<const T>();
    weighted<T>(
        w, [=](Index k) { return math::sigmoid(px[k]) - py[k]; },
        [&](auto f) { spread_loss<T>(dx, dy, scale, costly_grain, f); });
  });
}

void bce_backward_targets(Cpu, const View& x, const View& w, double scale, const View& dy,
                          const Target& dtarget) {
  visit_float(op, x.dtype, [&]<class T>() {
    const T* px = x.as<const T>();
    weighted<T>(
        w, [=](Index k) { return -px[k]; },
        [&](auto f) { spread_loss<T>(dtarget, dy, scale, cheap_grain, f); });
  });
}

}  // namespace fovea
