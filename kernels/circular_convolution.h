#ifndef FOVEA_KERNELS_CIRCULAR_CONVOLUTION_H_
#define FOVEA_KERNELS_CIRCULAR_CONVOLUTION_H_

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// y(i) = sum_t s(t) w((i - (t - (S-1)/2)) mod N) for every row; w, y (..,N), s (..,S), row-major, S <= N.
void circular_convolution_forward(Cpu, const View& w, const View& s, const View& y);
void circular_convolution_forward(Cuda, const View& w, const View& s, const View& y);

/// dw(j) = sum_t s(t) dy((j + (t - (S-1)/2)) mod N) and ds(t) = sum_i dy(i) w((i - (t - (S-1)/2)) mod N).
void circular_convolution_backward(Cpu, const View& w, const View& s, const View& dy, const Target& dw,
                                   const Target& ds);
void circular_convolution_backward(Cuda, const View& w, const View& s, const View& dy, const Target& dw,
                                   const Target& ds);

}  // namespace fovea

#endif  // FOVEA_KERNELS_CIRCULAR_CONVOLUTION_H_
