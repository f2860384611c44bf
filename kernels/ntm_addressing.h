#ifndef FOVEA_KERNELS_NTM_ADDRESSING_H_
#define FOVEA_KERNELS_NTM_ADDRESSING_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"

/// All views row-major: parameters [B,H,M+S+3], memory [B,N,M], w_previous and w [B,H,N].

namespace fovea {

/// What keeps a norm and a logarithm off zero: |x| is sqrt(x.x + epsilon^2), log x is log(x + tiny).
template <class T>
inline constexpr T ntm_epsilon = T(1e-8);
template <class T>
inline constexpr T ntm_tiny = T(1e-30);

/// The Neural Turing Machine's addressing; ops/ntm_addressing.h has the formulas. `trace` [B,3H+1,N] keeps
/// for the backward, for every head, cosine, content weighting and shifted weighting, and last the norms of
/// the rows.
void ntm_addressing_forward(Cpu, const View& parameters, const View& memory, const View& w_previous,
                            bool tanh_key, const View& trace, const View& w);
void ntm_addressing_forward(Cuda, const View& parameters, const View& memory, const View& w_previous,
                            bool tanh_key, const View& trace, const View& w);

struct NtmAddressingGradients {
  Target parameters, memory, w_previous;
};
void ntm_addressing_backward(Cpu, const View& parameters, const View& memory, const View& w_previous,
                             bool tanh_key, const View& trace, const View& w, const View& dw,
                             const NtmAddressingGradients& gradients);
void ntm_addressing_backward(Cuda, const View& parameters, const View& memory, const View& w_previous,
                             bool tanh_key, const View& trace, const View& w, const View& dw,
                             const NtmAddressingGradients& gradients);

}  // namespace fovea

#endif  // FOVEA_KERNELS_NTM_ADDRESSING_H_
