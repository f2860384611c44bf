#ifndef FOVEA_MODELS_LAYERS_BATCH_NORM2D_H_
#define FOVEA_MODELS_LAYERS_BATCH_NORM2D_H_

#include "fovea/core/captured.h"
#include "fovea/models/layers/module.h"
#include "fovea/ops/batch_norm2d.h"
#include "fovea/ops/create.h"

namespace fovea {

/// Batch normalisation (Ioffe and Szegedy 2015) of images x [B,C,H,W] for each channel: by the batch's mean
/// and variance in training mode, otherwise by their running means. See training_mode(). Starts with gain 1,
/// bias 0, mean 0 and variance 1.
struct BatchNorm2d {
  struct Options {
    Index features = 0;  ///< C
    double eps = 1e-5;
    double momentum = 0.1;  ///< what a batch weighs in the running mean and variance
    bool affine = true;     ///< whether there are a gain and a bias
    DType dtype = DType::f32;
  };

  Parameter weight, bias;            ///< [C], or undefined
  Tensor running_mean, running_var;  ///< [C]; saved, not trained
  Tensor num_batches_tracked;        ///< how many batches they have seen; i32, one element
  double eps = 1e-5, momentum = 0.1;
  Mode mode;

  BatchNorm2d() = default;
  explicit BatchNorm2d(const Options& o) : eps(o.eps), momentum(o.momentum) {
    require(o.features > 0, "BatchNorm2d", "features is ", o.features, "; it must be at least 1");
    running_mean = zeros({o.features}, o.dtype);
    running_var = ones({o.features}, o.dtype);
    num_batches_tracked = zeros({}, DType::i32);
    if (!o.affine) return;
    weight = Parameter(ones({o.features}, o.dtype));
    bias = Parameter(zeros({o.features}, o.dtype));
  }

  /// In training mode the running statistics change, in all copies of the layer.
  Tensor forward(const Tensor& x) const {
    const Tensor y = batch_norm2d(x, weight, bias, running_mean, running_var,
                                  {.training = mode.training, .momentum = momentum, .eps = eps});
    if (mode.training && x.numel() > 0) {
      auto count = [n = num_batches_tracked](void*) mutable { ++*n.mutable_data<std::int32_t>(); };
      if (!detail::captured_input(x.device(), 0, count)) count(nullptr);  // else at every replay
    }
    return y;
  }

  void each(Visitor& v) {
    v("weight", weight);
    v("bias", bias);
    v.buffer("running_mean", running_mean);
    v.buffer("running_var", running_var);
    v.buffer("num_batches_tracked", num_batches_tracked);
    v(mode);
  }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_BATCH_NORM2D_H_
