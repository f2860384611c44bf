#ifndef FOVEA_KERNELS_MOMENTS_H_
#define FOVEA_KERNELS_MOMENTS_H_

#include "fovea/kernels/scalar_math.h"

namespace fovea {

/// Mean and sum of squared differences from it, gathered part by part without cancellation (Chan, Golub and
/// LeVeque 1983).
struct Moments {
  double count = 0, mean = 0, squares = 0;

  FOVEA_HD void add(double n, double its_mean, double its_squares) {
    const double apart = its_mean - mean;
    count += n;
    mean += apart * n / count;
    squares += its_squares + apart * apart * n * (count - n) / count;
  }
};

}  // namespace fovea

#endif  // FOVEA_KERNELS_MOMENTS_H_
