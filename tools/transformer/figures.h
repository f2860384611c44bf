#ifndef FOVEA_TOOLS_TRANSFORMER_FIGURES_H_
#define FOVEA_TOOLS_TRANSFORMER_FIGURES_H_

#include <string>
#include <vector>

#include "fovea/models/training/learner.h"
#include "tools/figures/canvas.h"

/// The figures of the Transformer's paper.

namespace fovea::tools {

/// Where words look at each other (figures 3 to 5): weights [H,S,S] of S words, a panel a head with the words
/// in two columns and a line from each, at the left, to those it sees; the more it sees of one the darker.
Canvas draw_self_attention(const std::vector<std::string>& words, const Tensor& weights);

/// The sinusoidal positions: a row a position, a column for every number.
Canvas draw_positions(Index positions, Index dim);

/// The learning rate of a run.
Canvas draw_learning_rate(const TrainingSettings& settings);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_TRANSFORMER_FIGURES_H_
