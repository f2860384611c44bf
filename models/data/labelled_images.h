#ifndef FOVEA_MODELS_DATA_LABELLED_IMAGES_H_
#define FOVEA_MODELS_DATA_LABELLED_IMAGES_H_

#include <span>
#include <vector>

#include "fovea/core/tensor.h"

namespace fovea {

/// Pictures with their classes, as every source in this folder gives them and every distortion takes and
/// gives them. One byte a pixel, 0 (background) to 255 (ink); to_unit() makes them an input for a model.
struct LabelledImages {
  Tensor images;  ///< u8 [N,C,H,W]
  Tensor labels;  ///< i32 [N]; of scenes with two answers [N,2]; undefined where there are none

  Index size() const { return images.defined() ? images.size(0) : 0; }
};

/// Pictures to learn from, and others to be tested on.
struct PictureSet {
  LabelledImages train, test;
};

/// `count` pictures from number `from` on, as a view: how a validation set is cut from a training set.
LabelledImages part(const LabelledImages& all, Index from, Index count);

/// The pictures of these numbers, in this order: a batch.
LabelledImages gather(const LabelledImages& all, std::span<const Index> indices);

/// from, ..., from + count - 1: the numbers of pictures in a row.
std::vector<Index> every_index(Index count, Index from = 0);
/// `count` of the numbers 0, ..., all - 1, evenly spread, or all of them where there are no more: a fair part
/// even of a set that is sorted by class.
std::vector<Index> spread_indices(Index count, Index all);

/// u8 pixels of any shape as f32, x / 255.
Tensor to_unit(const Tensor& pixels);

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_LABELLED_IMAGES_H_
