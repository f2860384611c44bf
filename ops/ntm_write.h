#ifndef FOVEA_OPS_NTM_WRITE_H_
#define FOVEA_OPS_NTM_WRITE_H_

#include "fovea/core/tensor.h"

namespace fovea {

/// What H write heads leave of a Neural Turing Machine's memory (Graves, Wayne, Danihelka 2014, equations 3
/// and 4): all heads erase, then all add.
///   y(i) = memory(i) prod_h (1 - w_h(i) erase_h) + sum_h w_h(i) add_h
/// memory [B,N,M], w [B,H,N], erase (already in (0,1)) and add [B,H,M] -> [B,N,M]. A new tensor: the old
/// memory stays.
Tensor ntm_write(const Tensor& memory, const Tensor& w, const Tensor& erase, const Tensor& add);

}  // namespace fovea

#endif  // FOVEA_OPS_NTM_WRITE_H_
