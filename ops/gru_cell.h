#ifndef FOVEA_OPS_GRU_CELL_H_
#define FOVEA_OPS_GRU_CELL_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// One step of a GRU (Cho et al. 2014) in PyTorch's form, with b_hn inside the reset product. x [B,I], h
/// [B,H], weights w_ih [3H,I] and w_hh [3H,H], biases [3H] or undefined -> h' [B,H]. The gates lie in the
/// order r, z, n:
///   [a_r a_z a_n] = x w_ih^T + b_ih,  [c_r c_z c_n] = h w_hh^T + b_hh
///   r = sigmoid(a_r + c_r),  z = sigmoid(a_z + c_z),  n = tanh(a_n + r c_n),  h' = (1 - z) n + z h
/// Backward, with p for the gradient before an activation:
///   p_n = dh' (1 - z) (1 - n^2),  p_z = dh' (h - n) z (1 - z),  p_r = p_n c_n r (1 - r),
///   da = [p_r p_z p_n],  dc = [p_r p_z r p_n],  dx = da w_ih,  dh = dh' z + dc w_hh,  dw_ih = da^T x,  dw_hh
///   = dc^T h
Tensor gru_cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh,
                const Tensor& b_ih = {}, const Tensor& b_hh = {});

}  // namespace fovea

#endif  // FOVEA_OPS_GRU_CELL_H_
