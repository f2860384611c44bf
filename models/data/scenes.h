#ifndef FOVEA_MODELS_DATA_SCENES_H_
#define FOVEA_MODELS_DATA_SCENES_H_

#include <span>

#include "fovea/core/generator.h"
#include "fovea/models/data/labelled_images.h"

/// Canvases composed of digits. Scene n shows digit n of `digits` [N,1,H,W]; all else that is in it, the
/// other digits included, comes from random.fork(n) alone, as in distort(). Ink upon ink adds up to white.

namespace fovea {

/// A digit among pieces of others. The defaults are those of "Spatial Transformer Networks" (2015, appendix
/// A.2). {.size = 60, .pieces = 6, .piece_size = 8} are those of the set that Lasagne's example made known,
/// {.size = 100, .pieces = 8, .piece_size = 8} those of DRAW's (2015, section 4.1) and of RAM's (2014)
/// largest task.
struct ClutterOptions {
  Index size = 60;       ///< of the canvas, pixels a side
  Index pieces = 16;     ///< how many; 0 leaves the digit alone on its canvas
  Index piece_size = 6;  ///< pixels a side
};

/// Digits `indices`, each whole and anywhere on a black canvas, with square pieces cut anywhere from randomly
/// chosen other digits and put anywhere: u8 [B,1,size,size] with the digits' labels.
LabelledImages cluttered(const LabelledImages& digits, std::span<const Index> indices,
                         const ClutterOptions& options, const Generator& random);

/// Two digits, each whole and anywhere on a canvas (DRAW, section 4.2: MNIST with two digits): u8
/// [B,1,size,size] with both labels [B,2], digit n's first.
LabelledImages two_digits(const LabelledImages& digits, std::span<const Index> indices,
                          const Generator& random, Index size = 60);

/// Two digits in a channel each, either one distorted as by RTS, and their sum, 0 to 18, as the label
/// ("Spatial Transformer Networks", appendix A.1, MNIST addition): u8 [B,2,42,42] from 28x28.
LabelledImages digit_sums(const LabelledImages& digits, std::span<const Index> indices,
                          const Generator& random);

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_SCENES_H_
