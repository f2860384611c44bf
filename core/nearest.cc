#include "fovea/core/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace fovea {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j)
      corner = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1])}));
  }
  return row[b.size()];
}

const std::string* nearest(std::string_view name, std::span<const std::string> names) {
  const std::string* best = nullptr;
  std::size_t least = 0;
  for (const std::string& other : names) {
    const std::size_t distance = edit_distance(name, other);
    if (best && distance >= least) continue;
    best = &other;
    least = distance;
  }
  return best;
}

}  // namespace fovea
