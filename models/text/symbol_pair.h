#ifndef FOVEA_MODELS_TEXT_SYMBOL_PAIR_H_
#define FOVEA_MODELS_TEXT_SYMBOL_PAIR_H_

#include <cstdint>

namespace fovea {

/// The ids of two neighbouring symbols as one number, for a hash map by pairs.
inline std::uint64_t key_of(std::int32_t left, std::int32_t right) {
  return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_SYMBOL_PAIR_H_
