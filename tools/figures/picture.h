#ifndef FOVEA_TOOLS_FIGURES_PICTURE_H_
#define FOVEA_TOOLS_FIGURES_PICTURE_H_

#include "fovea/core/tensor.h"
#include "tools/figures/heat_map.h"

namespace fovea::tools {

/// Picture b of x [B,C,H,W], values in [0, 1]: grey where C is 1, in colour where it is 3.
Panel picture(const Tensor& x, Index b);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_FIGURES_PICTURE_H_
