#ifndef FOVEA_MODELS_DATA_DIGITS_H_
#define FOVEA_MODELS_DATA_DIGITS_H_

#include "fovea/core/generator.h"
#include "fovea/models/data/labelled_images.h"

namespace fovea {

/// Handwriting without a download: `count` digits that Fovea draws itself, u8 [count,1,28,28] as MNIST has
/// them (white ink on black, about 20 pixels tall, the ink's centre of mass in the middle), classes drawn
/// evenly.
///
/// A digit starts as one of several ways to write it, each a few strokes through control points; chance then
/// moves the points, bends, slants, turns and scales the whole, and chooses pen, pressure and ink. Digit n is
/// made from random.fork(n) alone, so that any part can be made again. It is the same everywhere but for
/// rounding: between processors a pixel may differ by a level or two.
///
/// Training and test sets come from generators of different streams, or are parts of one set.
LabelledImages draw_digits(Index count, const Generator& random);

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_DIGITS_H_
