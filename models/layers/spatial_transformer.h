#ifndef FOVEA_MODELS_LAYERS_SPATIAL_TRANSFORMER_H_
#define FOVEA_MODELS_LAYERS_SPATIAL_TRANSFORMER_H_

#include "fovea/models/layers/conv_net.h"
#include "fovea/ops/grid_sample.h"

namespace fovea {

/// A Spatial Transformer (Jaderberg, Simonyan, Zisserman, Kavukcuoglu 2015): looks at a map x [B,C,H,W],
/// decides on a transformation theta, and gives the map as seen through it, [B,C,H',W']. For images and for
/// the maps within a network alike. It starts as the identity: the localisation net's last layer has weight 0
/// and the identity as its bias (appendix A.4).
struct SpatialTransformer {
  /// What theta is, with its number of elements: a 2x3 matrix (6); a 3x3 one up to scale (8); where 4x4
  /// control points go (32); isotropic scale and shift, "attention" (3): (s,x,y) is [s,0,x; 0,s,y].
  enum class Kind { affine, projective, thin_plate_spline, attention };

  struct Options {
    Kind kind = Kind::affine;
    Index height = 28, width = 28;       ///< H', W'
    ConvNet::Options localisation = {};  ///< with C, H and W; its outputs are set by `kind`
    Surroundings padding = Surroundings::zeros;
    AlignCorners corners = AlignCorners::yes;  ///< as in the paper
  };

  /// What one forward did, for losses on theta and for pictures.
  struct Look {
    Tensor theta;       ///< [B,P]
    SamplingGrid grid;  ///< [B,H',W',2]
    Tensor output;      ///< [B,C,H',W']
  };

  Options options;
  ConvNet localisation;

  SpatialTransformer() = default;
  SpatialTransformer(const Options& options, Generator& random);

  Look look(const Tensor& x) const;
  Tensor forward(const Tensor& x) const { return look(x).output; }

  /// The grid of a theta [B,P].
  SamplingGrid grid(const Tensor& theta) const;
  /// Theta of the identity, [P].
  static Tensor identity(Kind kind, DType dtype = DType::f32, const Device& device = Cpu{});
  /// The mean over the batch of |theta - identity|^2: keeps a transformer from looking at nothing.
  Tensor penalty(const Tensor& theta) const;

  void each(Visitor& v) { v("localisation", localisation); }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_SPATIAL_TRANSFORMER_H_
