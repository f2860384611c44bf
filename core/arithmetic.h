#ifndef FOVEA_CORE_ARITHMETIC_H_
#define FOVEA_CORE_ARITHMETIC_H_

#include "fovea/core/tensor.h"

/// The little arithmetic that the tape itself needs. Defined in ops/, where the kernels can be reached.

namespace fovea::detail {

/// into += x. Same shape and dtype; `into` contiguous.
void accumulate(Tensor& into, const Tensor& x);

/// x itself when it is row-major without gaps, else a copy that is. Never recorded.
Tensor packed(const Tensor& x);

/// The same on the host: x itself, or a copy. Never recorded.
Tensor on_host(const Tensor& x);

/// A tensor of x's shape, dtype and device with every element set to `value`.
Tensor filled_like(const Tensor& x, double value);

}  // namespace fovea::detail

#endif  // FOVEA_CORE_ARITHMETIC_H_
