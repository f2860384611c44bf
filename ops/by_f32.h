#ifndef FOVEA_OPS_BY_F32_H_
#define FOVEA_OPS_BY_F32_H_

#include "fovea/core/arithmetic.h"
#include "fovea/ops/create.h"

/// bf16 where an op has no kernel for it: on the CPU none has, on CUDA those that models are trained with
/// have. Activations may be bf16 while parameters are f32 (mixed precision, Micikevicius et al. 2018): all is
/// computed in f32, what comes out is rounded to bf16, and so are gradients of what is bf16; those of
/// parameters are f32.

namespace fovea::detail {

inline bool is_bf16(const Tensor& x) { return x.defined() && x.dtype() == DType::bf16; }

/// bf16 on the CPU.
inline bool needs_f32(const Tensor& x) { return is_bf16(x) && is_cpu(x.device()); }

/// The type of parameters and of sums beside x: f32 beside bf16.
inline DType parameter_type(const Tensor& x) { return is_bf16(x) ? DType::f32 : x.dtype(); }

/// A weight as its products with x take it, row-major: rounded to bf16 beside bf16. Not recorded.
inline Tensor factor_beside(const Tensor& x, const Tensor& weight) {
  return is_bf16(x) ? cast(weight.detach(), DType::bf16) : packed(weight);
}

/// bf16 as f32; anything else as it is. Recorded.
inline Tensor widened(const Tensor& x) { return is_bf16(x) ? cast(x, DType::f32) : x; }

/// op(x...) of what is bf16 as f32, rounded to bf16.
template <class Op, class... X>
Tensor by_f32(const Op& op, const X&... x) {
  return cast(op(widened(x)...), DType::bf16);
}

}  // namespace fovea::detail

#endif  // FOVEA_OPS_BY_F32_H_
