#ifndef FOVEA_KERNELS_ROWS_H_
#define FOVEA_KERNELS_ROWS_H_

#include <array>

#include "fovea/core/shape.h"

namespace fovea {

/// A loop over N operands of one (broadcast) shape, with neighbouring dimensions merged where every operand
/// allows it and dimensions of size 1 left out: what is left is a number of rows with one stride per operand.
template <int N>
struct Rows {
  Index length = 1;             // elements of a row
  Index count = 1;              // rows
  std::array<Index, N> step{};  // stride of each operand inside a row
  int outer = 0;                // dimensions outside the row
  std::array<Index, max_rank> size;
  std::array<std::array<Index, max_rank>, N> stride;  // as far as `outer`

  /// Operands that are all packed: one row.
  explicit Rows(Index n) : length(n), count(n > 0) { step.fill(1); }

  Rows(const Shape& shape, const std::array<const Shape*, N>& strides) {
    // Collects the merged dimensions innermost first.
    std::array<Index, max_rank> sizes{};
    std::array<std::array<Index, max_rank>, N> steps{};
    int dims = 0;
    for (int d = shape.rank(); d-- > 0;) {
      if (shape[d] == 1) continue;
      bool merges = dims > 0;
      for (std::size_t i = 0; i < N && merges; ++i)
        merges = (*strides[i])[d] ==
                 steps[i][static_cast<std::size_t>(dims - 1)] * sizes[static_cast<std::size_t>(dims - 1)];
      if (merges) {
        sizes[static_cast<std::size_t>(dims - 1)] *= shape[d];
        continue;
      }
      sizes[static_cast<std::size_t>(dims)] = shape[d];
      for (std::size_t i = 0; i < N; ++i) steps[i][static_cast<std::size_t>(dims)] = (*strides[i])[d];
      ++dims;
    }
    step.fill(1);  // a single element: any stride will do, and 1 says that nothing is stretched
    if (dims > 0) {
      length = sizes[0];
      for (std::size_t i = 0; i < N; ++i) step[i] = steps[i][0];
    }
    for (int d = 1; d < dims; ++d) {
      const auto from = static_cast<std::size_t>(d), to = static_cast<std::size_t>(dims - 1 - d);
      size[to] = sizes[from];
      count *= sizes[from];
      for (std::size_t i = 0; i < N; ++i) stride[i][to] = steps[i][from];
    }
    outer = dims > 0 ? dims - 1 : 0;
    if (shape.numel() == 0) count = 0;
  }

  /// Where row r starts in operand i, in elements.
  constexpr Index offset(std::size_t i, Index r) const {
    Index at = 0;
    for (int d = outer; d-- > 0;) {
      const auto k = static_cast<std::size_t>(d);
      at += r % size[k] * stride[i][k];
      r /= size[k];
    }
    return at;
  }
};

}  // namespace fovea

#endif  // FOVEA_KERNELS_ROWS_H_
