#ifndef FOVEA_CORE_GRADCHECK_H_
#define FOVEA_CORE_GRADCHECK_H_

#include <functional>
#include <string>
#include <vector>

#include "fovea/core/tensor.h"

namespace fovea {

struct GradcheckOptions {
  double tolerance = 1e-6;  ///< largest |analytic - numeric| / max(1, |analytic|, |numeric|)
  double step = 1e-5;       ///< of the central difference
  Index full =
      256;  ///< up to this many input (output) elements every column (row) of the Jacobian is checked
  int directions = 8;  ///< above it, this many random directions
};

struct GradcheckResult {
  bool ok = true;
  double error = 0;   ///< the largest found
  std::string where;  ///< the place of the largest error, for people
};

/// Compares the derivative that the tape gives with central differences. `f` maps the inputs to one tensor
/// and must be deterministic; the inputs must be f64 and away from kinks. Works for any op, also one defined
/// outside the library.
GradcheckResult gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                          const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});

}  // namespace fovea

#endif  // FOVEA_CORE_GRADCHECK_H_
