#ifndef FOVEA_KERNELS_CONV2D_H_
#define FOVEA_KERNELS_CONV2D_H_

#include <array>

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

/// With groups G: x [B,C,H,W], w [O,C/G,KH,KW], y [B,O,OH,OW], all row-major and none empty. In both
/// directions y[i] = sum over k x[i * stride - padding + k * dilation] w[k], x being 0 outside.

namespace fovea {

/// How the kernel passes over the image: down, across.
struct ConvWindow {
  std::array<Index, 2> stride, padding, dilation;
  Index groups;
};

/// y (set or +=) from x and w, plus bias [O] or none.
void conv2d_forward(Cpu, const View& x, const View& w, const View& bias, const ConvWindow& window,
                    const Target& y);
void conv2d_forward(Cuda, const View& x, const View& w, const View& bias, const ConvWindow& window,
                    const Target& y);

/// dx (set or +=) from dy and w, plus bias [C] or none: with it, a transposed convolution of dy.
void conv2d_input_gradient(Cpu, const View& dy, const View& w, const View& bias, const ConvWindow& window,
                           const Target& dx);
void conv2d_input_gradient(Cuda, const View& dy, const View& w, const View& bias, const ConvWindow& window,
                           const Target& dx);

/// dw (set or +=) from dy and x. The same for any number of threads.
void conv2d_weight_gradient(Cpu, const View& dy, const View& x, const ConvWindow& window, const Target& dw);
void conv2d_weight_gradient(Cuda, const View& dy, const View& x, const ConvWindow& window, const Target& dw);

/// db [O] (set or +=) from dy: its sum over images and places.
void conv2d_bias_gradient(Cpu, const View& dy, const Target& db);
void conv2d_bias_gradient(Cuda, const View& dy, const Target& db);

}  // namespace fovea

#endif  // FOVEA_KERNELS_CONV2D_H_
