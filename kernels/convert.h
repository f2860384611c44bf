#ifndef FOVEA_KERNELS_CONVERT_H_
#define FOVEA_KERNELS_CONVERT_H_

#include <type_traits>

#include "fovea/core/dtype.h"

namespace fovea {

/// x as a To; to an integer it truncates.
template <class To, class From>
constexpr To convert(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<From, bf16>) {
    return convert<To>(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, bf16>) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    bf16 y;  // one instruction, where rounding by hand takes some eight
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(static_cast<float>(x)));
    return y;
#else
    return bf16(static_cast<float>(x));
#endif
  } else {
    return static_cast<To>(x);
  }
}

/// What elements of type T are computed in: float where they are bf16.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, bf16>, float, T>;

/// visit_float() of kernels that take bf16 too.
template <class F>
decltype(auto) visit_wide(const char* op, DType d, F&& f) {
  if (d == DType::bf16) return f.template operator()<bf16>();
  return visit_float(op, d, f);
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_CONVERT_H_
