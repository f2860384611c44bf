#ifndef FOVEA_CORE_SHAPE_H_
#define FOVEA_CORE_SHAPE_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>

#include "fovea/core/error.h"

namespace fovea {

/// Sizes, offsets and positions.
using Index = std::int64_t;

/// Tensors have at most this many dimensions.
inline constexpr int max_rank = 6;

/// The sizes (or strides) of a tensor's dimensions, outermost first. A value type of fixed size.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<Index> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const Index> sizes) {
    require(sizes.size() <= max_rank, "shape", "has ", sizes.size(), " dimensions; the most is ", max_rank);
    for (Index s : sizes) sizes_[static_cast<std::size_t>(rank_++)] = s;
  }

  int rank() const { return rank_; }
  Index operator[](int i) const { return sizes_[static_cast<std::size_t>(i)]; }
  Index& operator[](int i) { return sizes_[static_cast<std::size_t>(i)]; }
  const Index* begin() const { return sizes_.data(); }
  const Index* end() const { return sizes_.data() + rank_; }
  Index back() const { return sizes_[static_cast<std::size_t>(rank_ - 1)]; }

  /// The number of elements; 1 for rank 0.
  Index numel() const {
    Index n = 1;
    for (Index s : *this) n *= s;
    return n;
  }

  /// Turns a dimension counted from the end (-1 is the last) into one counted from the start; throws
  /// naming `op` when there is no such dimension.
  int axis(int dim, const char* op) const {
    require(dim >= -rank_ && dim < rank_, op, "dimension ", dim, " does not exist in shape ", *this);
    return dim < 0 ? dim + rank_ : dim;
  }

  /// Without dimension i; with a dimension of size s put before i; with dimension i set to s.
  Shape erased(int i) const;
  Shape inserted(int i, Index s) const;
  Shape replaced(int i, Index s) const {
    Shape out = *this;
    out[i] = s;
    return out;
  }

  bool operator==(const Shape& other) const {
    if (rank_ != other.rank_) return false;
    for (int i = 0; i < rank_; ++i)
      if ((*this)[i] != other[i]) return false;
    return true;
  }

  /// "(2,3)".
  friend std::ostream& operator<<(std::ostream& out, const Shape& s) {
    out << '(';
    for (int i = 0; i < s.rank(); ++i) out << (i ? "," : "") << s[i];
    return out << ')';
  }

 private:
  int rank_ = 0;
  std::array<Index, max_rank> sizes_;  // entries past rank_ are never read
};

inline Shape Shape::erased(int i) const {
  Shape out;
  for (int d = 0; d < rank_; ++d)
    if (d != i) out.sizes_[static_cast<std::size_t>(out.rank_++)] = (*this)[d];
  return out;
}

inline Shape Shape::inserted(int i, Index s) const {
  require(rank_ < max_rank, "shape", *this, " already has the most dimensions, ", max_rank);
  Shape out;
  for (int d = 0; d <= rank_; ++d) {
    if (d == i) out.sizes_[static_cast<std::size_t>(out.rank_++)] = s;
    if (d < rank_) out.sizes_[static_cast<std::size_t>(out.rank_++)] = (*this)[d];
  }
  return out;
}

/// Row-major strides of a shape, in elements.
inline Shape row_major_strides(const Shape& shape) {
  Shape strides = shape;
  Index step = 1;
  for (int i = shape.rank(); i-- > 0;) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

/// The shape that a and b broadcast to (trailing dimensions aligned, 1 stretches). Throws naming `op`.
inline Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape out = longer;
  const int shift = longer.rank() - shorter.rank();
  for (int i = 0; i < shorter.rank(); ++i) {
    const Index s = shorter[i], l = longer[i + shift];
    require(s == l || s == 1 || l == 1, op, "shapes ", a, " and ", b, " do not broadcast");
    out[i + shift] = l == 1 ? s : l;
  }
  return out;
}

}  // namespace fovea

#endif  // FOVEA_CORE_SHAPE_H_
