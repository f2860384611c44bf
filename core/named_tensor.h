#ifndef FOVEA_CORE_NAMED_TENSOR_H_
#define FOVEA_CORE_NAMED_TENSOR_H_

#include <string>

#include "fovea/core/tensor.h"

namespace fovea {

/// An entry of a file that holds several tensors.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

}  // namespace fovea

#endif  // FOVEA_CORE_NAMED_TENSOR_H_
