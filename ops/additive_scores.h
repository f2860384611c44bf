#ifndef FOVEA_OPS_ADDITIVE_SCORES_H_
#define FOVEA_OPS_ADDITIVE_SCORES_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// How well each of T queries goes with each of S keys by a small network (Bahdanau, Cho, Bengio 2015,
/// section A.1.2): projected queries q [B,T,A], projected keys k [B,S,A], v [A] -> e [B,T,S].
///   e_ts = sum_a v_a tanh(q_ta + k_sa)
/// With p_tsa = de_ts v_a (1 - tanh^2):
///   dq_ta = sum_s p_tsa,  dk_sa = sum_t p_tsa,  dv_a = sum_ts de_ts tanh(q_ta + k_sa)
/// The [B,T,S,A] values of tanh are never stored: the backward makes them again, except where de is 0, as it
/// is for padding.
Tensor additive_scores(const Tensor& q, const Tensor& k, const Tensor& v);

}  // namespace fovea

#endif  // FOVEA_OPS_ADDITIVE_SCORES_H_
