#ifndef FOVEA_OPS_AXES_H_
#define FOVEA_OPS_AXES_H_

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>

#include "fovea/core/shape.h"

namespace fovea {

/// A few dimensions of a tensor, written `1`, `{0, -1}` or `{}`; each op says what an empty list means.
class Axes {
 public:
  Axes() = default;
  Axes(int axis) : Axes({axis}) {}
  Axes(std::initializer_list<int> axes) : Axes(std::span(axes.begin(), axes.size())) {}
  Axes(std::span<const int> axes) : size_(axes.size()) {
    require(size_ <= max_rank, "axes", size_, " were given; a tensor has at most ", max_rank, " dimensions");
    std::copy(axes.begin(), axes.end(), axes_.begin());
  }
  std::size_t size() const { return size_; }
  int operator[](std::size_t i) const { return axes_[i]; }
  const int* begin() const { return axes_.data(); }
  const int* end() const { return axes_.data() + size_; }

  /// For each dimension of `shape`, whether it is in the list. Throws naming `op` when one does not exist or
  /// comes twice.
  std::array<bool, max_rank> in(const Shape& shape, const char* op) const {
    std::array<bool, max_rank> found{};
    for (int axis : *this) {
      bool& f = found[static_cast<std::size_t>(shape.axis(axis, op))];
      require(!f, op, "dimension ", axis, " of ", shape, " is listed twice");
      f = true;
    }
    return found;
  }

 private:
  std::size_t size_ = 0;
  std::array<int, max_rank> axes_{};
};

}  // namespace fovea

#endif  // FOVEA_OPS_AXES_H_
