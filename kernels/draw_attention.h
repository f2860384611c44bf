#ifndef FOVEA_KERNELS_DRAW_ATTENTION_H_
#define FOVEA_KERNELS_DRAW_ATTENTION_H_

#include "fovea/core/device.h"
#include "fovea/kernels/scalar_math.h"
#include "fovea/kernels/target.h"

/// All views row-major: images [B,C,H,W], window [B,5], patches [B,C,N,N], filters fx [B,N,W] and fy [B,N,H].
/// Filters are an output of the forward kernels, which the backward ones need.

namespace fovea {

/// What a window's five numbers (g~X, g~Y, log sigma^2, log delta~, log gamma) mean on an image, in pixels
/// counted from 0.
template <class T>
struct DrawGeometry {
  static constexpr double limit = 8;  // of the three logarithms, so that their exponentials stay in range
  T x, y;                             // centre of the grid
  T stride;                           // delta, from filter to filter
  T sharpness;                        // 1 / (2 sigma^2)
  T gamma;

  FOVEA_HD DrawGeometry(const T* window, Index height, Index width, Index n)
      : x(centre(window[0], width)),
        y(centre(window[1], height)),
        stride(static_cast<T>((height > width ? height : width) - 1) / static_cast<T>(n > 1 ? n - 1 : 1) *
               exp_limited(window[3])),
        sharpness(T(0.5) / exp_limited(window[2])),
        gamma(exp_limited(window[4])) {}

  FOVEA_HD static T centre(T g, Index size) { return static_cast<T>(size + 1) / 2 * (g + 1) - 1; }
  FOVEA_HD static T exp_limited(T x) { return math::exp(math::min(math::max(x, T(-limit)), T(limit))); }
};

/// gamma [B].
void draw_filterbank_forward(Cpu, const View& window, const View& fx, const View& fy, const View& gamma);
void draw_filterbank_forward(Cuda, const View& window, const View& fx, const View& fy, const View& gamma);
/// dfx, dfy and dgamma may be missing (zero).
void draw_filterbank_backward(Cpu, const View& window, const View& fx, const View& fy, const View& dfx,
                              const View& dfy, const View& dgamma, const Target& dwindow);
void draw_filterbank_backward(Cuda, const View& window, const View& fx, const View& fy, const View& dfx,
                              const View& dfy, const View& dgamma, const Target& dwindow);

/// y = gamma fy image fx^T for the S sources: the C channels of the image and then, with a canvas, those of
/// the error image - sigmoid(canvas). y [B,S,N,N]; for the backward: error [B,C,H,W] and rows = fy image
/// [B,S,N,W].
void draw_read_forward(Cpu, const View& image, const View& canvas, const View& window, const View& fx,
                       const View& fy, const View& error, const View& rows, const View& y);
void draw_read_forward(Cuda, const View& image, const View& canvas, const View& window, const View& fx,
                       const View& fy, const View& error, const View& rows, const View& y);
struct DrawReadGradients {
  Target image, canvas, window;
};
void draw_read_backward(Cpu, const View& image, const View& error, const View& window, const View& fx,
                        const View& fy, const View& rows, const View& dy, const DrawReadGradients& gradients);
void draw_read_backward(Cuda, const View& image, const View& error, const View& window, const View& fx,
                        const View& fy, const View& rows, const View& dy, const DrawReadGradients& gradients);

/// y = canvas + fy^T patch fx / gamma; canvas may be missing (zero).
void draw_write_forward(Cpu, const View& canvas, const View& patch, const View& window, const View& fx,
                        const View& fy, const View& y);
void draw_write_forward(Cuda, const View& canvas, const View& patch, const View& window, const View& fx,
                        const View& fy, const View& y);
struct DrawWriteGradients {
  Target patch, window;
};
void draw_write_backward(Cpu, const View& patch, const View& window, const View& fx, const View& fy,
                         const View& dy, const DrawWriteGradients& gradients);
void draw_write_backward(Cuda, const View& patch, const View& window, const View& fx, const View& fy,
                         const View& dy, const DrawWriteGradients& gradients);

}  // namespace fovea

#endif  // FOVEA_KERNELS_DRAW_ATTENTION_H_
