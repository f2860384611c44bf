#ifndef FOVEA_OPS_HEIGHT_WIDTH_H_
#define FOVEA_OPS_HEIGHT_WIDTH_H_

#include <ostream>

#include "fovea/core/shape.h"

namespace fovea {

/// A number for each direction of an image, down and across: `{3, 5}`, or `3` for both.
struct HeightWidth {
  Index h, w;
  HeightWidth(Index both) : h(both), w(both) {}
  HeightWidth(Index h, Index w) : h(h), w(w) {}
  friend std::ostream& operator<<(std::ostream& out, const HeightWidth& s) {
    return out << '(' << s.h << ',' << s.w << ')';
  }
};

}  // namespace fovea

#endif  // FOVEA_OPS_HEIGHT_WIDTH_H_
