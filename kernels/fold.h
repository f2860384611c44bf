#ifndef FOVEA_KERNELS_FOLD_H_
#define FOVEA_KERNELS_FOLD_H_

#include <algorithm>
#include <array>

#include "fovea/kernels/rows.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// How a reduction of x to y walks through x. `y` is a view of x's shape with stride 0 in the dimensions that
/// are reduced; in the others it is row-major. The dimensions outside the innermost row are sorted into the
/// two kinds.
struct Fold {
  struct Loop {
    int dims = 0;
    Index count = 1;
    std::array<Index, max_rank> size{}, x_stride{}, y_stride{};

    constexpr Index x(Index i) const { return offset(x_stride, i); }
    constexpr Index y(Index i) const { return offset(y_stride, i); }

   private:
    constexpr Index offset(const std::array<Index, max_rank>& stride, Index i) const {
      if (dims == 0) return 0;
      Index at = 0;
      for (auto d = static_cast<std::size_t>(dims - 1); d > 0; --d) {
        at += i % size[d] * stride[d];
        i /= size[d];
      }
      return at + i * stride[0];
    }
    friend struct Fold;
    void append(Index n, Index xs, Index ys) {
      const auto d = static_cast<std::size_t>(dims++);
      size[d] = n;
      x_stride[d] = xs;
      y_stride[d] = ys;
      count *= n;
    }
  };
  Loop kept, reduced;
  Index length, step;   // the innermost row of x
  bool row_is_reduced;  // else it lies along a row of y
  Index places;         // elements of y

  Fold(const View& x, const View& y) {
    const Rows<2> rows(x.shape, {&x.strides, &y.strides});
    for (int d = 0; d < rows.outer; ++d) {
      const auto k = static_cast<std::size_t>(d);
      (rows.stride[1][k] == 0 ? reduced : kept).append(rows.size[k], rows.stride[0][k], rows.stride[1][k]);
    }
    length = rows.length;
    step = rows.step[0];
    row_is_reduced = rows.step[1] == 0;
    places = kept.count * (row_is_reduced ? 1 : length);

    // Which dimension to walk innermost is free. One that lies without gaps is best; but sums of many short
    // rows are better made side by side.
    constexpr Index short_row = 32;
    const Loop& other = row_is_reduced ? kept : reduced;
    if (other.dims == 0) return;
    const auto last = static_cast<std::size_t>(other.dims - 1);
    const bool many_short = row_is_reduced && length <= short_row && other.size[last] >= 2 * length;
    if (many_short || (step != 1 && other.x_stride[last] == 1 && other.size[last] > short_row)) exchange();
  }
  /// Into how many parts to cut the work on one element of y, so that threads have enough to do. Depends on
  /// sizes alone: results are the same for any number of threads.
  static Index slabs(Index tasks, Index elements, Index most) {
    constexpr Index enough_tasks = 16, slab = 32768, most_slabs = 64;
    if (tasks >= enough_tasks) return 1;
    return std::max(Index{1}, std::min({elements / slab, most, most_slabs}));
  }

 private:
  // The row and the innermost dimension of the other kind change places. Positions in y and among what is
  // reduced keep their row-major order.
  void exchange() {
    Loop &from = row_is_reduced ? kept : reduced, &to = row_is_reduced ? reduced : kept;
    const auto last = static_cast<std::size_t>(--from.dims);
    from.count /= from.size[last];
    to.append(length, step, row_is_reduced ? 0 : 1);
    length = from.size[last];
    step = from.x_stride[last];
    row_is_reduced = !row_is_reduced;
  }
};

}  // namespace fovea

#endif  // FOVEA_KERNELS_FOLD_H_
