#ifndef FOVEA_CORE_NEAREST_H_
#define FOVEA_CORE_NEAREST_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace fovea {

/// How many letters must change, come or go to make b of a (Levenshtein 1966).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The name that is nearest to `name`, the first of several; nullptr when there are none.
const std::string* nearest(std::string_view name, std::span<const std::string> names);

}  // namespace fovea

#endif  // FOVEA_CORE_NEAREST_H_
