#ifndef FOVEA_KERNELS_NTM_WRITE_H_
#define FOVEA_KERNELS_NTM_WRITE_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"

/// All views row-major: memory and y [B,N,M], w [B,H,N], erase and add [B,H,M].

namespace fovea {

/// y_im = memory_im prod_h (1 - w_hi erase_hm) + sum_h w_hi add_hm.
void ntm_write_forward(Cpu, const View& memory, const View& w, const View& erase, const View& add,
                       const View& y);
void ntm_write_forward(Cuda, const View& memory, const View& w, const View& erase, const View& add,
                       const View& y);

struct NtmWriteGradients {
  Target memory, w, erase, add;
};
void ntm_write_backward(Cpu, const View& memory, const View& w, const View& erase, const View& add,
                        const View& dy, const NtmWriteGradients& gradients);
void ntm_write_backward(Cuda, const View& memory, const View& w, const View& erase, const View& add,
                        const View& dy, const NtmWriteGradients& gradients);

}  // namespace fovea

#endif  // FOVEA_KERNELS_NTM_WRITE_H_
