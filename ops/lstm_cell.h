#ifndef FOVEA_OPS_LSTM_CELL_H_
#define FOVEA_OPS_LSTM_CELL_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// The state of an LSTM: hidden h and cell c, both [B,H].
struct LstmState {
  Tensor h, c;
};

/// One step of an LSTM (Hochreiter and Schmidhuber 1997, with forget gates). x [B,I], weights w_ih [4H,I] and
/// w_hh [4H,H], biases [4H] or undefined; the gates lie in the order i, f, g, o, as in PyTorch:
///   [i f g o] = x w_ih^T + b_ih + h w_hh^T + b_hh
///   c' = sigmoid(f) c + sigmoid(i) tanh(g),   h' = sigmoid(o) tanh(c')
LstmState lstm_cell(const Tensor& x, const LstmState& state, const Tensor& w_ih, const Tensor& w_hh,
                    const Tensor& b_ih = {}, const Tensor& b_hh = {});

}  // namespace fovea

#endif  // FOVEA_OPS_LSTM_CELL_H_
