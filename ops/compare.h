#ifndef FOVEA_OPS_COMPARE_H_
#define FOVEA_OPS_COMPARE_H_

#include "fovea/core/tensor.h"

/// Comparisons and logic on elements. Results are u8, 0 or 1, and carry no gradient. Two tensors broadcast
/// and are of one dtype, any. A number is rounded to f32 before it is compared with f32. NaN differs from
/// everything.

namespace fovea {

Tensor less(const Tensor& x, const Tensor& y);           ///< x < y
Tensor less_equal(const Tensor& x, const Tensor& y);     ///< x <= y
Tensor greater(const Tensor& x, const Tensor& y);        ///< x > y
Tensor greater_equal(const Tensor& x, const Tensor& y);  ///< x >= y
Tensor equal(const Tensor& x, const Tensor& y);          ///< x == y
Tensor not_equal(const Tensor& x, const Tensor& y);      ///< x != y

Tensor less(const Tensor& x, double y);           ///< x < y
Tensor less_equal(const Tensor& x, double y);     ///< x <= y
Tensor greater(const Tensor& x, double y);        ///< x > y
Tensor greater_equal(const Tensor& x, double y);  ///< x >= y
Tensor equal(const Tensor& x, double y);          ///< x == y
Tensor not_equal(const Tensor& x, double y);      ///< x != y

/// On u8, of which every value but 0 is true.
Tensor logical_not(const Tensor& x);
Tensor logical_and(const Tensor& x, const Tensor& y);
Tensor logical_or(const Tensor& x, const Tensor& y);
Tensor logical_xor(const Tensor& x, const Tensor& y);

}  // namespace fovea

#endif  // FOVEA_OPS_COMPARE_H_
