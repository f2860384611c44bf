#ifndef FOVEA_OPS_CONV2D_H_
#define FOVEA_OPS_CONV2D_H_

#include "fovea/core/tensor.h"
#include "fovea/ops/height_width.h"

namespace fovea {

/// How the kernel passes over the image. `padding` is a border of zeros on every side; they take part in the
/// arithmetic like other elements (0 times an infinite weight is NaN). With groups, the channels are that
/// many convolutions beside each other.
struct Conv2dOptions {
  HeightWidth stride = 1, padding = 0, dilation = 1;
  Index groups = 1;
};

/// Cross-correlation of x [B,C,H,W] with weight [O,C/groups,KH,KW], plus bias [O] or undefined:
///   y[b,o,i,j] = bias[o] + sum over c,h,w of weight[o,c,h,w] x[b, c, i stride - padding + h dilation, ...]
/// [B,O,OH,OW] with OH = floor((H + 2 padding - dilation (KH-1) - 1) / stride) + 1. f32 or f64; B may be 0.
/// dx is conv_transpose2d of dy with the same weight, made only when x is tracked; dweight sums dy x over
/// images and places, the same for any number of threads. (Dumoulin and Visin 2016, arXiv 1603.07285.)
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const Conv2dOptions& options = {});

/// The options of the convolution that it transposes, and the rows and columns by which y is larger than the
/// smallest image on which that convolution gives x's size: less than stride or dilation.
struct ConvTranspose2dOptions {
  HeightWidth stride = 1, padding = 0, output_padding = 0, dilation = 1;
  Index groups = 1;
};

/// The transpose of conv2d, from x [B,C,H,W] and weight [C,O/groups,KH,KW], plus bias [O] or undefined:
///   y[b,o,i,j] = bias[o] + sum over c,h,w of weight[c,o,h,w] x[b,c,p,q] where i = p stride - padding + h
///   dilation and j likewise
/// [B,O,OH,OW] with OH = (H-1) stride - 2 padding + dilation (KH-1) + output_padding + 1. dx is conv2d of dy.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTranspose2dOptions& options = {});

}  // namespace fovea

#endif  // FOVEA_OPS_CONV2D_H_
