#ifndef FOVEA_OPS_INTERPOLATION_H_
#define FOVEA_OPS_INTERPOLATION_H_

/// How images are read between their pixels.

namespace fovea {

/// What the ends of an image are: of the coordinates -1 to 1 of a sampling grid, or of an image that is
/// resized. `yes`: the centres of the outermost pixels, as in Jaderberg et al. 2015. `no`: the outer edges of
/// these pixels, half a pixel further out, as in PyTorch unless told otherwise.
enum class AlignCorners : bool { no, yes };

/// From the four pixels around a point, or from the one that is nearest.
enum class Interpolation { bilinear, nearest };

}  // namespace fovea

#endif  // FOVEA_OPS_INTERPOLATION_H_
