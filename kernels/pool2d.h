#ifndef FOVEA_KERNELS_POOL2D_H_
#define FOVEA_KERNELS_POOL2D_H_

#include <algorithm>

#include "fovea/core/device.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// The windows of pooling along one dimension of `pixels`: `count` of them, `kernel` long and `stride` apart
/// from -padding on; or, when kernel is 0, the pixels shared out evenly. No window is empty.
struct Windows {
  Index pixels, count, kernel = 0, stride = 0, padding = 0;

  constexpr Index begin(Index i) const {
    return kernel > 0 ? std::max(i * stride - padding, Index{0}) : i * pixels / count;
  }
  constexpr Index end(Index i) const {
    return kernel > 0 ? std::min(i * stride - padding + kernel, pixels)
                      : ((i + 1) * pixels + count - 1) / count;
  }
  /// The windows that pixel r lies in: first(r) to last(r) - 1.
  constexpr Index first(Index r) const {
    if (kernel == 0) return r * count / pixels;
    const Index before = r + padding - kernel;  // the last place where a window ends before r
    return before < 0 ? 0 : before / stride + 1;
  }
  constexpr Index last(Index r) const {
    return kernel > 0 ? std::min((r + padding) / stride + 1, count) : ((r + 1) * count + pixels - 1) / pixels;
  }
  /// How many elements window i counts in this dimension.
  constexpr Index counts(Index i, bool padding_too) const {
    return padding_too && kernel > 0 ? kernel : end(i) - begin(i);
  }
};

/// How many elements the window (i,j) counts.
template <class T>
constexpr T elements(Index i, Index j, const Windows& rows, const Windows& columns, bool count_padding) {
  return static_cast<T>(static_cast<double>(rows.counts(i, count_padding)) *
                        static_cast<double>(columns.counts(j, count_padding)));
}

/// y (B,C,H',W') = the largest element of every window of x (B,C,H,W), the first NaN before all; `at`, if
/// there is one, its place in the H x W plane, i32. All row-major.
void max_pool2d_forward(Cpu, const View& x, const Windows& rows, const Windows& columns, const View& y,
                        const View& at);
void max_pool2d_forward(Cuda, const View& x, const Windows& rows, const Windows& columns, const View& y,
                        const View& at);

/// dx (set or +=) = dy at the places `at`, which lie in the windows.
void max_pool2d_backward(Cpu, const View& at, const Windows& rows, const Windows& columns, const View& dy,
                         const Target& dx);
void max_pool2d_backward(Cuda, const View& at, const Windows& rows, const Windows& columns, const View& dy,
                         const Target& dx);

/// y = the mean of every window; with `count_padding`, of kernel x kernel elements also at the border.
void avg_pool2d_forward(Cpu, const View& x, const Windows& rows, const Windows& columns, bool count_padding,
                        const View& y);
void avg_pool2d_forward(Cuda, const View& x, const Windows& rows, const Windows& columns, bool count_padding,
                        const View& y);

/// dx (set or +=).
void avg_pool2d_backward(Cpu, const View& dy, const Windows& rows, const Windows& columns, bool count_padding,
                         const Target& dx);
void avg_pool2d_backward(Cuda, const View& dy, const Windows& rows, const Windows& columns,
                         bool count_padding, const Target& dx);

}  // namespace fovea

#endif  // FOVEA_KERNELS_POOL2D_H_
