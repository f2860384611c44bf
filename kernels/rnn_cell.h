#ifndef FOVEA_KERNELS_RNN_CELL_H_
#define FOVEA_KERNELS_RNN_CELL_H_

#include "fovea/core/device.h"
#include "fovea/kernels/view.h"

/// All views row-major: x [B,I], h [B,H], weights [H,I] and [H,H], biases [H] or none.

namespace fovea {

/// h_next = tanh or relu of x w_ih^T + b_ih + h w_hh^T + b_hh.
void rnn_cell_forward(Cpu, bool relu, const View& x, const View& h, const View& w_ih, const View& w_hh,
                      const View& b_ih, const View& b_hh, const View& h_next);
void rnn_cell_forward(Cuda, bool relu, const View& x, const View& h, const View& w_ih, const View& w_hh,
                      const View& b_ih, const View& b_hh, const View& h_next);

/// dsum [B,H]: the gradient before the activation.
void rnn_cell_backward(Cpu, bool relu, const View& h_next, const View& dh_next, const View& dsum);
void rnn_cell_backward(Cuda, bool relu, const View& h_next, const View& dh_next, const View& dsum);

}  // namespace fovea

#endif  // FOVEA_KERNELS_RNN_CELL_H_
