#ifndef FOVEA_KERNELS_CONVERT_H_
#define FOVEA_KERNELS_CONVERT_H_

#include <type_traits>

#include "fovea/core/dtype.h"

namespace fovea {

/// x as a To; to an integer it truncates.
template <class To, class From>
constexpr To convert(From x) {
  if constexpr (std::is_same_v<To, From>)
    return x;
  else if constexpr (std::is_same_v<From, bf16>)
    return convert<To>(static_cast<float>(x));
  else if constexpr (std::is_same_v<To, bf16>)
    return bf16(static_cast<float>(x));
  else
    return static_cast<To>(x);
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_CONVERT_H_
