#ifndef FOVEA_MODELS_STN_STN_H_
#define FOVEA_MODELS_STN_STN_H_

#include <string>
#include <vector>

#include "fovea/models/layers/spatial_transformer.h"

namespace fovea::stn {

/// A classifier that looks through Spatial Transformers (Jaderberg et al. 2015).
struct Stn {
  /// Where they are. `none`: the picture is only resampled, the baseline; `image`: one before the classifier;
  /// `features`: one after the first convolution; `chain`: two in sequence before it; `parallel`: two beside
  /// each other, whose outputs are the channels that it sees (section 4.4, appendix A.1).
  enum class Placement { none, image, features, chain, parallel };

  struct Options {
    Index channels = 1, height = 28, width = 28;  ///< of the pictures
    Index classes = 10;
    Placement placement = Placement::image;
    SpatialTransformer::Kind kind = SpatialTransformer::Kind::affine;
    Index size = 28;  ///< pixels a side of what a transformer gives
    Surroundings padding = Surroundings::zeros;
    /// Filters, kernels, pooling and hidden units of the two networks; their sizes follow from the rest.
    ConvNet::Options localisation = {}, classifier = {};
  };

  /// What the transformers did with a batch.
  struct Look {
    std::vector<SpatialTransformer::Look> transformers;
    Tensor logits;  ///< [B,classes]
  };

  Stn() = default;
  Stn(const Options& options, Generator& random);

  /// x [B,C,H,W], 0 to 1.
  Look look(const Tensor& x) const;
  Tensor forward(const Tensor& x) const { return look(x).logits; }
  /// The sum over the transformers of |theta - identity|^2, mean over the batch.
  Tensor penalty(const Look& look) const;

  void each(Visitor& v) {
    v("stem", stem);
    v("transformers", transformers);
    v("classifier", classifier);
  }

  Options options;
  ConvNet stem;  ///< with `features`: the first convolution
  std::vector<SpatialTransformer> transformers;
  ConvNet classifier;
};

}  // namespace fovea::stn

#endif  // FOVEA_MODELS_STN_STN_H_
