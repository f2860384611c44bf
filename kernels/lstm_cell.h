#ifndef FOVEA_KERNELS_LSTM_CELL_H_
#define FOVEA_KERNELS_LSTM_CELL_H_

#include "fovea/core/device.h"
#include "fovea/core/into.h"
#include "fovea/kernels/view.h"

/// All views row-major: x [B,I], h and c [B,H], weights [4H,I] and [4H,H], biases [4H] or none.

namespace fovea {

/// gates [B,4H] = activated i, f, g, o; c_next = f c + i g; h_next = o tanh(c_next).
void lstm_cell_forward(Cpu, const View& x, const View& h, const View& c, const View& w_ih, const View& w_hh,
                       const View& b_ih, const View& b_hh, const View& gates, const View& h_next,
                       const View& c_next);
void lstm_cell_forward(Cuda, const View& x, const View& h, const View& c, const View& w_ih, const View& w_hh,
                       const View& b_ih, const View& b_hh, const View& gates, const View& h_next,
                       const View& c_next);

/// dgates [B,4H]: gradient of the gates before their activations. dh_next and dc_next may be missing (zero).
/// dc is the gradient that goes on through c_next = f c; written or added when given.
void lstm_cell_backward(Cpu, const View& gates, const View& c, const View& c_next, const View& dh_next,
                        const View& dc_next, const View& dgates, const View& dc, Into into);
void lstm_cell_backward(Cuda, const View& gates, const View& c, const View& c_next, const View& dh_next,
                        const View& dc_next, const View& dgates, const View& dc, Into into);

}  // namespace fovea

#endif  // FOVEA_KERNELS_LSTM_CELL_H_
