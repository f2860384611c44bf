#ifndef FOVEA_KERNELS_OPTIMIZER_H_
#define FOVEA_KERNELS_OPTIMIZER_H_

#include "fovea/core/device.h"
#include "fovea/kernels/scalar_math.h"
#include "fovea/kernels/view.h"

/// Sweeps over the flat buffers of all parameters. An optimizer's rule is one struct that updates one value w
/// from its gradient g and up to three numbers of state a, b, c; formulas are stated where the options are,
/// in models/training/optimizer.h.

namespace fovea {

/// What clip_in_place() multiplies with.
FOVEA_HD inline double clip_factor(double norm, double limit) {
  const double factor = limit / (norm + 1e-6);
  return factor < 1 && norm - norm == 0 ? factor : 1;  // no number is left of infinity - infinity
}

struct SgdRule {
  double lr, decay;
  template <class T>
  FOVEA_HD void operator()(T& w, T g) const {
    g += T(decay) * w;
    w -= T(lr) * g;
  }
};

struct MomentumRule {
  double lr, decay, momentum;
  double gradient_part,
      velocity_part;  // of the direction: 0 and 1, with Nesterov's look-ahead 1 and momentum
  template <class T>
  FOVEA_HD void operator()(T& w, T g, T& a) const {
    g += T(decay) * w;
    a = T(momentum) * a + g;
    w -= T(lr) * (T(gradient_part) * g + T(velocity_part) * a);
  }
};

struct AdamRule {
  double lr, decay, shrink, beta1, beta2, eps;  // shrink: what w is multiplied with first
  double correction1, correction2;              // 1 - beta1^t, sqrt(1 - beta2^t)
  template <class T>
  FOVEA_HD void operator()(T& w, T g, T& a, T& b) const {
    w *= T(shrink);
    g += T(decay) * w;
    a += T(1 - beta1) * (g - a);
    b = T(beta2) * b + T(1 - beta2) * g * g;
    w -= T(lr / correction1) * a / (math::sqrt(b) * T(1 / correction2) + T(eps));
  }
};

struct RmsPropRule {
  double lr, decay, alpha, eps;
  template <class T>
  FOVEA_HD void operator()(T& w, T g, T& a) const {
    g += T(decay) * w;
    a = T(alpha) * a + T(1 - alpha) * g * g;
    w -= T(lr) * g / (math::sqrt(a) + T(eps));
  }
};

/// RMSProp with momentum, centred when `centre` is 1 and not when it is 0.
struct MomentumRmsPropRule {
  double lr, decay, alpha, eps, momentum, centre;
  template <class T>
  FOVEA_HD void operator()(T& w, T g, T& a, T& b, T& c) const {
    g += T(decay) * w;
    a = T(alpha) * a + T(1 - alpha) * g * g;
    b += T(1 - alpha) * (g - b);
    const T variance = a - T(centre) * b * b;
    c = T(momentum) * c + g / (math::sqrt(variance > 0 ? variance : T(0)) + T(eps));
    w -= T(lr) * c;
  }
};

struct GravesRmsPropRule {
  double lr, decay, alpha, eps, momentum;
  template <class T>
  FOVEA_HD void operator()(T& w, T g, T& a, T& b, T& c) const {
    g += T(decay) * w;
    a = T(alpha) * a + T(1 - alpha) * g * g;
    b = T(alpha) * b + T(1 - alpha) * g;
    c = T(momentum) * c - T(lr) * g / math::sqrt(a - b * b + T(eps));
    w += c;
  }
};

struct AdadeltaRule {
  double lr, decay, rho, eps;
  template <class T>
  FOVEA_HD void operator()(T& w, T g, T& a, T& b) const {
    g += T(decay) * w;
    a = T(rho) * a + T(1 - rho) * g * g;
    const T change = math::sqrt(b + T(eps)) / math::sqrt(a + T(eps)) * g;
    b = T(rho) * b + T(1 - rho) * change * change;
    w -= T(lr) * change;
  }
};

struct AdagradRule {
  double lr, decay, eps;
  template <class T>
  FOVEA_HD void operator()(T& w, T g, T& a) const {
    g += T(decay) * w;
    a += g * g;
    w -= T(lr) * g / (math::sqrt(a) + T(eps));
  }
};

/// Of parameters that are frozen: only their gradients are set to 0.
struct FrozenRule {
  template <class T>
  FOVEA_HD void operator()(T&, T) const {}
};

/// A stretch of the flat buffers. Gradients are set to 0 on the way.
struct Sweep {
  DType dtype;
  Index n;
  void *value, *gradient;
  void* state[3];              // as many as the rule takes
  const void* rule = nullptr;  // in a captured step: where the rule of a replay stands on the device
  /// Where given, the loss and the norm of all gradients, which lie where the rest does. The rule takes the
  /// gradient times clip_factor(norm, max_norm); with a loss or norm that is not finite nothing is changed.
  const double* seen = nullptr;
  double max_norm = 0;  // 0: not clipped
};

/// What a sweep multiplies gradients with: NaN where it must change nothing.
FOVEA_HD inline double gradient_factor(const double* seen, double max_norm) {
  if (!seen) return 1;
  const double none = seen[0] - seen[0] + (seen[1] - seen[1]);  // 0, or NaN where one is not finite
  return max_norm > 0 ? clip_factor(seen[1], max_norm) + none : 1 + none;
}

void optimizer_step(Cpu, const FrozenRule&, const Sweep&);
void optimizer_step(Cuda, const FrozenRule&, const Sweep&);
void optimizer_step(Cpu, const SgdRule&, const Sweep&);
void optimizer_step(Cuda, const SgdRule&, const Sweep&);
void optimizer_step(Cpu, const MomentumRule&, const Sweep&);
void optimizer_step(Cuda, const MomentumRule&, const Sweep&);
void optimizer_step(Cpu, const AdamRule&, const Sweep&);
void optimizer_step(Cuda, const AdamRule&, const Sweep&);
void optimizer_step(Cpu, const RmsPropRule&, const Sweep&);
void optimizer_step(Cuda, const RmsPropRule&, const Sweep&);
void optimizer_step(Cpu, const MomentumRmsPropRule&, const Sweep&);
void optimizer_step(Cuda, const MomentumRmsPropRule&, const Sweep&);
void optimizer_step(Cpu, const GravesRmsPropRule&, const Sweep&);
void optimizer_step(Cuda, const GravesRmsPropRule&, const Sweep&);
void optimizer_step(Cpu, const AdadeltaRule&, const Sweep&);
void optimizer_step(Cuda, const AdadeltaRule&, const Sweep&);
void optimizer_step(Cpu, const AdagradRule&, const Sweep&);
void optimizer_step(Cuda, const AdagradRule&, const Sweep&);

/// norm = sqrt(sum x^2), one f64, summed in double. The same for any number of threads. With a loss, an
/// element of the dtype of x, norm is two numbers, of which it becomes the first; both are NaN where a kernel
/// has noted a fault of its input.
void norm_of(Cpu, const View& x, const View& norm, const View* loss = nullptr);
void norm_of(Cuda, const View& x, const View& norm, const View* loss = nullptr);
/// x *= limit / (norm + 1e-6), if that is below 1 and norm finite.
void clip_in_place(Cpu, const View& x, const View& norm, double limit);
void clip_in_place(Cuda, const View& x, const View& norm, double limit);
/// x *= factor
void scale_in_place(Cpu, const View& x, double factor);
void scale_in_place(Cuda, const View& x, double factor);
/// x = min(max(x, -limit), limit); NaN stays.
void clamp_in_place(Cpu, const View& x, double limit);
void clamp_in_place(Cuda, const View& x, double limit);
/// average += (1 - decay) (x - average)
void update_average(Cpu, const View& average, const View& x, double decay);
void update_average(Cuda, const View& average, const View& x, double decay);

}  // namespace fovea

#endif  // FOVEA_KERNELS_OPTIMIZER_H_
