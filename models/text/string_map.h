#ifndef FOVEA_MODELS_TEXT_STRING_MAP_H_
#define FOVEA_MODELS_TEXT_STRING_MAP_H_

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fovea {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

/// A hash map by strings that can be asked with a string_view.
template <class T>
using StringMap = std::unordered_map<std::string, T, StringHash, std::equal_to<>>;

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_STRING_MAP_H_
