#ifndef FOVEA_TOOLS_DRAW_FIGURES_H_
#define FOVEA_TOOLS_DRAW_FIGURES_H_

#include <filesystem>
#include <string>
#include <vector>

#include "fovea/models/draw/learner.h"
#include "tools/figures/canvas.h"

/// The figures of "DRAW". Windows are red where it writes and green where it reads: the rectangle that the
/// filters cover, as far as it lies on the picture, with a line half as wide as the filters' sigma.

namespace fovea::tools {

/// Figure 7: how `count` new pictures are drawn, step by step.
Canvas draw_generation(const draw::Learner& learner, Index count, std::uint64_t seed);
/// The same as an animation of 8 x 8 pictures, as the bytes of a GIF.
std::string animate_generation(const draw::Learner& learner, std::uint64_t seed);

/// How `count` test pictures are looked at and drawn.
Canvas draw_reconstructions(const draw::Learner& learner, Index count, std::uint64_t seed);

/// New pictures above the training pictures that are nearest to them in L2 distance.
Canvas draw_nearest(const draw::Learner& learner, std::uint64_t seed);

/// Figure 1 of the classifier: where it looks in `count` test pictures, and what it sees there.
Canvas draw_glimpses(const draw::Learner& learner, Index count);
/// The same as an animation of 4 x 4 pictures, as the bytes of a GIF.
std::string animate_glimpses(const draw::Learner& learner);

/// Figures 3 and 4: a grid of filters on a grey picture [1,1,H,W], and what three windows make of it.
Canvas draw_filterbank(const Tensor& picture);

/// The KL divergence of every step while it learns: tensors [T], each named by the updates made.
Canvas draw_kl(const std::vector<NamedTensor>& kl, Index batches_per_epoch);

/// The bound while it learns, from metrics.csv in a run's folder; with the paper's result where the pictures
/// are the paper's.
Canvas draw_bound(const std::filesystem::path& folder, const draw::Learner& learner);
/// The classifier's error while it learns.
Canvas draw_error(const std::filesystem::path& folder, const draw::Learner& learner);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_DRAW_FIGURES_H_
