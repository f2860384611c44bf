#ifndef FOVEA_OPS_RNN_CELL_H_
#define FOVEA_OPS_RNN_CELL_H_

#include "fovea/core/tensor.h"

namespace fovea {

enum class RnnActivation { tanh, relu };

/// One step of a plain recurrent network (Elman 1990). x [B,I], h [B,H], weights w_ih [H,I] and w_hh [H,H],
/// biases [H] or undefined:
///   h' = f(x w_ih^T + b_ih + h w_hh^T + b_hh) [B,H],  f = tanh or relu
/// With p = dh' f': dx = p w_ih,  dh = p w_hh,  dw_ih = p^T x,  dw_hh = p^T h,  db_ih = db_hh = sum of p's
/// rows.
Tensor rnn_cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh,
                const Tensor& b_ih = {}, const Tensor& b_hh = {},
                RnnActivation activation = RnnActivation::tanh);

namespace detail {

/// Checks the inputs of a cell whose weights have `gates` blocks of H rows.
void check_cell(const char* op, Index gates, const Tensor& x, const Tensor& h, const Tensor& w_ih,
                const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh);

/// The same tensors, row-major.
struct CellInputs {
  CellInputs(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
             const Tensor& b_hh);
  Tensor x, h, w_ih, w_hh, b_ih, b_hh;
};

}  // namespace detail
}  // namespace fovea

#endif  // FOVEA_OPS_RNN_CELL_H_
