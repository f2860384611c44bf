#ifndef FOVEA_MODELS_DATA_DISTORT_H_
#define FOVEA_MODELS_DATA_DISTORT_H_

#include <span>

#include "fovea/core/generator.h"
#include "fovea/models/data/labelled_images.h"

namespace fovea {

/// The distorted digits of "Spatial Transformer Networks" (Jaderberg, Simonyan, Zisserman, Kavukcuoglu 2015,
/// section 4.1 and appendix A).
enum class Distortion {
  rotation,                    ///< R: by an angle from [-90, 90] degrees about the middle
  rotation_translation_scale,  ///< RTS: by [-45, 45] degrees, scaled by [0.7, 1.2], anywhere on a canvas of
                               ///< 42x42 (for 28x28; 3/2 of the side in general)
  projective,  ///< P: scaled by [0.75, 1], then every corner moved by N(0, 5 pixels) in x and y
  elastic,     ///< E: a thin plate spline that moves 4x4 control points by N(0, 1.5 pixels) in x and y
};

/// R, RTS, P or E. Throws for any other name.
Distortion distortion_of(const std::string& name);

/// Pictures `indices` of `digits` [N,1,H,W], distorted: u8 [B,1,H',W'] and their labels. What chance does to
/// picture n comes from random.fork(n) alone: not from the other pictures of the batch, so that an epoch can
/// be made again in any order. For new distortions each epoch, use generators of a different stream.
///
/// Sampling is bilinear, and zero outside of the picture. P draws its corners again until they are those of a
/// convex shape, which others cannot be seen as.
LabelledImages distort(const LabelledImages& digits, std::span<const Index> indices, Distortion kind,
                       const Generator& random);

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_DISTORT_H_
