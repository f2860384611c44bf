#ifndef FOVEA_OPS_NTM_ADDRESSING_H_
#define FOVEA_OPS_NTM_ADDRESSING_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// Where the heads of a Neural Turing Machine look (Graves, Wayne, Danihelka 2014, equations 5 to 9), all H
/// heads at once. parameters [B,H,M+S+3] hold for every head, before their activations, k (M), beta, g, s (S,
/// odd), gamma:
///   beta = softplus, g = sigmoid, s = softmax, gamma = 1 + softplus, k as it is or tanh when `tanh_key`
///   (6) K[k,u] = k.u / (sqrt(k.k + e^2) sqrt(u.u + e^2)), e = 1e-8      (5) wc = softmax_i(beta K[k,
///   memory_i]) (7) wg = g wc + (1 - g) w_previous (8) ws(i) = sum_d wg(i - d) s(d), circular: weight on
///   shift +1 moves the head from row j to row j + 1 (9) w = ws^gamma / sum ws^gamma, computed as
///   softmax(gamma log ws)
/// memory [B,N,M], w_previous [B,H,N] -> w [B,H,N]. Throws when S is even, above 63 or above N.
Tensor ntm_addressing(const Tensor& parameters, const Tensor& memory, const Tensor& w_previous,
                      bool tanh_key = false);

}  // namespace fovea

#endif  // FOVEA_OPS_NTM_ADDRESSING_H_
