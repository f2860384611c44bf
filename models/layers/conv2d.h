#ifndef FOVEA_MODELS_LAYERS_CONV2D_H_
#define FOVEA_MODELS_LAYERS_CONV2D_H_

#include <cmath>

#include "fovea/models/layers/init.h"
#include "fovea/models/layers/module.h"
#include "fovea/ops/conv2d.h"

namespace fovea {

namespace detail {

/// Weight and bias as PyTorch's layers start: both U(-a, a), a = 1/sqrt(fan in of the weight).
inline void start_convolution(Parameter& weight, Parameter& bias, const Shape& shape, Index biases,
                              DType dtype, Generator& random) {
  weight = Parameter(Tensor::empty(shape, dtype));
  const double a = 1 / std::sqrt(init::fans(weight).in);
  init::uniform(weight, random, -a, a);
  if (biases == 0) return;
  bias = Parameter(Tensor::empty({biases}, dtype));
  init::uniform(bias, random, -a, a);
}

inline void check_convolution(const char* layer, Index in, Index out, Index groups, HeightWidth kernel) {
  require(in > 0 && out > 0 && kernel.h > 0 && kernel.w > 0, layer, "in_channels is ", in, ", out_channels ",
          out, " and kernel_size ", kernel, "; all must be at least 1");
  require(groups > 0 && in % groups == 0 && out % groups == 0, layer, "in_channels ", in,
          " and out_channels ", out, " must divide by groups ", groups);
}

}  // namespace detail

/// conv2d: x [B,C,H,W] -> [B,O,OH,OW]. Starts as PyTorch's: both U(-a, a), a = 1/sqrt(C/groups KH KW).
struct Conv2d {
  struct Options {
    Index in_channels = 0;   ///< C
    Index out_channels = 0;  ///< O
    HeightWidth kernel_size = 0, stride = 1, padding = 0, dilation = 1;
    Index groups = 1;
    bool bias = true;
    DType dtype = DType::f32;
  };

  Parameter weight;  ///< [O,C/groups,KH,KW]
  Parameter bias;    ///< [O], or undefined
  Conv2dOptions options;

  Conv2d() = default;
  Conv2d(const Options& o, Generator& random)
      : options{.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups} {
    detail::check_convolution("Conv2d", o.in_channels, o.out_channels, o.groups, o.kernel_size);
    detail::start_convolution(weight, bias,
                              {o.out_channels, o.in_channels / o.groups, o.kernel_size.h, o.kernel_size.w},
                              o.bias ? o.out_channels : 0, o.dtype, random);
  }

  Tensor forward(const Tensor& x) const { return conv2d(x, weight, bias, options); }

  void each(Visitor& v) {
    v("weight", weight);
    v("bias", bias);
  }
};

/// conv_transpose2d: x [B,C,H,W] -> [B,O,OH,OW]. Starts as PyTorch's: both U(-a, a),
/// a = 1/sqrt(O/groups KH KW).
struct ConvTranspose2d {
  struct Options {
    Index in_channels = 0;   ///< C
    Index out_channels = 0;  ///< O
    HeightWidth kernel_size = 0, stride = 1, padding = 0, output_padding = 0, dilation = 1;
    Index groups = 1;
    bool bias = true;
    DType dtype = DType::f32;
  };

  Parameter weight;  ///< [C,O/groups,KH,KW]
  Parameter bias;    ///< [O], or undefined
  ConvTranspose2dOptions options;

  ConvTranspose2d() = default;
  ConvTranspose2d(const Options& o, Generator& random)
      : options{.stride = o.stride,
                .padding = o.padding,
                .output_padding = o.output_padding,
                .dilation = o.dilation,
                .groups = o.groups} {
    detail::check_convolution("ConvTranspose2d", o.in_channels, o.out_channels, o.groups, o.kernel_size);
    detail::start_convolution(weight, bias,
                              {o.in_channels, o.out_channels / o.groups, o.kernel_size.h, o.kernel_size.w},
                              o.bias ? o.out_channels : 0, o.dtype, random);
  }

  Tensor forward(const Tensor& x) const { return conv_transpose2d(x, weight, bias, options); }

  void each(Visitor& v) {
    v("weight", weight);
    v("bias", bias);
  }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_CONV2D_H_
