#ifndef FOVEA_KERNELS_GRU_CELL_H_
#define FOVEA_KERNELS_GRU_CELL_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

/// All views row-major: x [B,I], h [B,H], weights [3H,I] and [3H,H], biases [3H] or none.

namespace fovea {

/// gates [B,3H] = activated r, z, n; hidden [B,3H]: its last third, which the backward needs, is that of
/// h w_hh^T + b_hh, and the rest room; h_next = (1 - z) n + z h.
void gru_cell_forward(Cpu, const View& x, const View& h, const View& w_ih, const View& w_hh, const View& b_ih,
                      const View& b_hh, const View& gates, const View& hidden, const View& h_next);
void gru_cell_forward(Cuda, const View& x, const View& h, const View& w_ih, const View& w_hh,
                      const View& b_ih, const View& b_hh, const View& gates, const View& hidden,
                      const View& h_next);

/// The gradients of x w_ih^T + b_ih and of h w_hh^T + b_hh, both [B,3H], and the part of dh that goes on
/// through h_next = .. + z h.
void gru_cell_backward(Cpu, const View& gates, const View& hidden, const View& h, const View& dh_next,
                       const View& dinput, const View& dhidden, const Target& dh);
void gru_cell_backward(Cuda, const View& gates, const View& hidden, const View& h, const View& dh_next,
                       const View& dinput, const View& dhidden, const Target& dh);

}  // namespace fovea

#endif  // FOVEA_KERNELS_GRU_CELL_H_
