#ifndef FOVEA_TOOLS_STN_FIGURES_H_
#define FOVEA_TOOLS_STN_FIGURES_H_

#include <string>
#include <vector>

#include "fovea/models/stn/learner.h"
#include "tools/figures/canvas.h"

/// The figures of "Spatial Transformer Networks".

namespace fovea::tools {

/// Figure 1: for every class an input, where the transformers look, and what they give.
Canvas draw_looks(const stn::Learner& learner);

/// Where the transformers of the first model look in the first `count` test scenes: the outlines of their
/// grids, [count,transformers,K,2], x and y in -1 to 1.
Tensor outlines(const stn::Learner& learner, Index count);
/// The animation of learning, as the bytes of a GIF: these outlines, each named by the updates made.
std::string animate_outlines(const stn::Learner& learner, const std::vector<NamedTensor>& outlines);

/// Test errors over the epochs, from metrics.csv in a run's folder: one line for each column.
Canvas draw_errors(const std::filesystem::path& folder, const std::vector<std::string>& columns,
                   Index batches_per_epoch);

/// What test scenes of each class were taken for.
Canvas draw_confusion(const std::vector<std::vector<Index>>& confusion);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_STN_FIGURES_H_
