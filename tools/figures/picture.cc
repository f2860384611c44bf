#include "tools/figures/picture.h"

#include <algorithm>
#include <cmath>

namespace fovea::tools {

Panel picture(const Tensor& x, Index b) {
  require(x.rank() == 4 && (x.size(1) == 1 || x.size(1) == 3), "picture", "x ", x.shape(),
          " must be [B,1,H,W] or [B,3,H,W]");
  Panel panel{.rows = static_cast<int>(x.size(2)), .cols = static_cast<int>(x.size(3))};
  for (Index i = 0; i < x.size(2); ++i)
    for (Index j = 0; j < x.size(3); ++j)
      for (Index c = 0; c < x.size(1); ++c) {
        const double value = x.at({b, c, i, j});
        if (x.size(1) == 1)
          panel.values.push_back(static_cast<float>(value));
        else
          panel.rgb.push_back(static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0))));
      }
  return panel;
}

}  // namespace fovea::tools
