#ifndef FOVEA_KERNELS_ADDITIVE_SCORES_H_
#define FOVEA_KERNELS_ADDITIVE_SCORES_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

/// All views row-major: q [B,T,A], k [B,S,A], v [A], e [B,T,S].

namespace fovea {

/// e_ts = sum_a v_a tanh(q_ta + k_sa).
void additive_scores_forward(Cpu, const View& q, const View& k, const View& v, const View& e);
void additive_scores_forward(Cuda, const View& q, const View& k, const View& v, const View& e);
/// Targets may be one buffer, as where queries and keys are one tensor.
void additive_scores_backward(Cpu, const View& q, const View& k, const View& v, const View& de,
                              const Target& dq, const Target& dk, const Target& dv);
void additive_scores_backward(Cuda, const View& q, const View& k, const View& v, const View& de,
                              const Target& dq, const Target& dk, const Target& dv);

}  // namespace fovea

#endif  // FOVEA_KERNELS_ADDITIVE_SCORES_H_
