#ifndef FOVEA_MODELS_LAYERS_CONV_NET_H_
#define FOVEA_MODELS_LAYERS_CONV_NET_H_

#include <vector>

#include "fovea/models/layers/conv2d.h"
#include "fovea/models/layers/mlp.h"
#include "fovea/ops/pool2d.h"
#include "fovea/ops/views.h"

namespace fovea {

/// A small network for images: convolutions with ReLU, with 2x2 max pooling, then linear layers. Without
/// convolutions it is a fully connected one, and with `outputs` 0 it ends at the last map. Weights before a
/// ReLU start as He et al. 2015 propose, U(-a, a) with a = sqrt(6 / fan in), and their biases at 0.
struct ConvNet {
  enum class Pooling { none, before, after };  ///< each convolution
  struct Options {
    Index channels = 1, height = 28, width = 28;
    std::vector<Index> filters = {};  ///< of each convolution
    std::vector<Index> kernels = {};  ///< their sides
    Index stride = 1;                 ///< of each
    Pooling pooling = Pooling::after;
    std::vector<Index> hidden = {};  ///< units of the linear layers before the last
    Index outputs = 10;
    DType dtype = DType::f32;
  };

  Options options;
  std::vector<Conv2d> convolutions;
  Mlp linear;
  Index channels = 0, height = 0, width = 0;  ///< of the last map

  ConvNet() = default;
  ConvNet(const Options& o, Generator& random)
      : options(o), channels(o.channels), height(o.height), width(o.width) {
    require(o.filters.size() == o.kernels.size(), "ConvNet", "has ", o.filters.size(), " filters and ",
            o.kernels.size(), " kernels; give one of each for every convolution");
    for (std::size_t i = 0; i < o.filters.size(); ++i) {
      if (o.pooling == Pooling::before) halve();
      require(height >= o.kernels[i] && width >= o.kernels[i], "ConvNet", "convolution ", i, " of side ",
              o.kernels[i], " does not fit a map of ", height, "x", width, "; the images are ", o.height, "x",
              o.width);
      convolutions.push_back(Conv2d({.in_channels = channels,
                                     .out_channels = o.filters[i],
                                     .kernel_size = o.kernels[i],
                                     .stride = o.stride,
                                     .dtype = o.dtype},
                                    random));
      for_relu(convolutions.back().weight, convolutions.back().bias, random);
      channels = o.filters[i];
      height = (height - o.kernels[i]) / o.stride + 1;
      width = (width - o.kernels[i]) / o.stride + 1;
      if (o.pooling == Pooling::after) halve();
    }
    if (o.outputs == 0) return;
    std::vector<Index> sizes{channels * height * width};
    sizes.insert(sizes.end(), o.hidden.begin(), o.hidden.end());
    sizes.push_back(o.outputs);
    linear = Mlp({.sizes = sizes, .dtype = o.dtype}, random);
    for (std::size_t i = 0; i + 1 < linear.layers.size(); ++i)
      for_relu(linear.layers[i].weight, linear.layers[i].bias, random);
  }

  /// x [B,C,H,W] -> [B,outputs], or the last map.
  Tensor forward(Tensor x) const {
    if (options.pooling == Pooling::before && !convolutions.empty()) x = max_pool2d(x);
    for (std::size_t i = 0; i < convolutions.size(); ++i) {
      x = convolutions[i].forward(x);
      const bool more = i + 1 < convolutions.size();
      // The largest of ReLUs is the ReLU of the largest, and that is less work.
      if (options.pooling == Pooling::after || (options.pooling == Pooling::before && more))
        x = max_pool2d(x);
      x = relu(x);
    }
    if (options.outputs == 0) return x;
    return linear.forward(reshape(x, {x.size(0), x.numel() / std::max<Index>(1, x.size(0))}));
  }

  void each(Visitor& v) {
    v("convolutions", convolutions);
    v("linear", linear);
  }

 private:
  static void for_relu(Parameter& weight, Parameter& bias, Generator& random) {
    init::kaiming_uniform(weight, random);
    init::constant(bias, 0);
  }
  void halve() {
    height /= 2;
    width /= 2;
    require(height > 0 && width > 0, "ConvNet", "images of ", options.height, "x", options.width,
            " are too small for ", options.filters.size(), " poolings");
  }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_CONV_NET_H_
