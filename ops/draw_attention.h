#ifndef FOVEA_OPS_DRAW_ATTENTION_H_
#define FOVEA_OPS_DRAW_ATTENTION_H_

#include <vector>

#include "fovea/core/tensor.h"

/// The selective attention of DRAW (Gregor, Danihelka, Graves, Rezende, Wierstra 2015, section 3.2): a grid
/// of N x N Gaussian filters on images [B,C,H,W], placed by five numbers a picture,
///   window [B,5] = (g~X, g~Y, log sigma^2, log delta~, log gamma),
/// equations 21 to 24 in the paper's pixel numbers 1..W and 1..H:
///   centre gX = (W + 1) / 2 (g~X + 1), gY = (H + 1) / 2 (g~Y + 1),  stride delta = (max(W, H) - 1) / (N - 1)
///   delta~,  filters at muX_i = gX + (i - N / 2 - 1/2) delta and muY_j likewise, i, j = 1..N
/// The three logarithms count as -8 or 8 where they are beyond these, without a gradient there. A single
/// filter (N = 1) sits on the centre and has no stride. All five numbers 0 make the grid cover the whole of a
/// square image. Windows are plain network outputs; all tensors are of one float type.

namespace fovea {

/// Filter matrices: x [B,N,W], y [B,N,H], and the intensity gamma [B].
struct DrawFilters {
  Tensor x, y, gamma;
};

/// The filters of equations 25 and 26, each a softmax over its pixels:
///   FX[i,a] = e^(-(a - muX_i)^2 / (2 sigma^2)) / Z_i, rows summing to 1 whatever the window. A filter far
///   outside the image is 1 on the nearest border pixel (and takes no gradient there).
DrawFilters draw_filterbank(const Tensor& window, Index n, Index height, Index width);

/// Where a window lies, in pixels counted from 0 (the centre of the top left pixel is (0, 0)), for pictures.
/// The filters stand from x - reach to x + reach, y likewise.
struct DrawGrid {
  double x, y;    ///< centre
  double stride;  ///< between neighbouring filters
  double sigma;   ///< of the Gaussians
  double gamma;   ///< intensity
  double reach;   ///< (N - 1) / 2 strides
};
std::vector<DrawGrid> draw_grids(const Tensor& window, Index n, Index height, Index width);

/// The glimpse of equation 27: every channel of images [B,C,H,W] read through the window -> [B,C,N,N].
///   y = gamma FY x FX^T
Tensor draw_read(const Tensor& image, const Tensor& window, Index n);

/// The glimpses of the images and of what a canvas of logits [B,C,H,W] lacks of them -> [B,2C,N,N]: first the
/// C channels of the image, then those of image - sigmoid(canvas) (equations 3 and 27).
Tensor draw_read(const Tensor& image, const Tensor& canvas, const Tensor& window, Index n);

/// Equation 29: patches [B,C,N,N] put through the transposed filters -> [B,C,H,W].
///   y = FY^T patch FX / gamma
Tensor draw_write(const Tensor& patch, const Tensor& window, Index height, Index width);

/// The same on top of a canvas [B,C,H,W] (equation 8): canvas + draw_write(patch, window, H, W).
Tensor draw_write(const Tensor& canvas, const Tensor& patch, const Tensor& window);

}  // namespace fovea

#endif  // FOVEA_OPS_DRAW_ATTENTION_H_
