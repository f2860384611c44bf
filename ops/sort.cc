#include "fovea/ops/sort.h"

#include <limits>

#include "fovea/core/tape.h"
#include "fovea/kernels/copy.h"
#include "fovea/kernels/gather.h"
#include "fovea/kernels/sort.h"

namespace fovea {
namespace {

Sorted first_of(const char* op, const Tensor& x, Index k, int dim, bool descending) {
  require(x.shape()[dim] <= std::numeric_limits<std::int32_t>::max(), op, "dimension ", dim, " of ",
          x.shape(), " has more positions than i32");
  const Shape shape = x.shape().replaced(dim, k);
  Tensor values = Tensor::empty(shape, x.dtype(), x.device()),
         indices = Tensor::empty(shape, DType::i32, x.device());
  std::visit([&](auto d) { sort_forward(d, view_of(x), dim, descending, view_of(values), view_of(indices)); },
             x.device());
  record(op, {x}, {values}, [dim, indices = Saved(indices)](Backward& b) {
    const auto t = b.target(0);
    std::visit(
        [&](auto d) {
          if (t.into == Into::set) fill(d, view_of(t.dx), 0);
          scatter_add_forward(d, view_of(b.dy()), dim, view_of(indices.get()), view_of(t.dx));
        },
        t.dx.device());
  });
  return {values, indices};
}

}  // namespace

Sorted sort(const Tensor& x, int dim, bool descending) {
  dim = x.shape().axis(dim, "sort");
  return first_of("sort", x, x.shape()[dim], dim, descending);
}

Sorted top_k(const Tensor& x, Index k, int dim) {
  dim = x.shape().axis(dim, "top_k");
  require(0 <= k && k <= x.shape()[dim], "top_k", "k = ", k, " elements cannot be taken from dimension ", dim,
          " of ", x.shape());
  return first_of("top_k", x, k, dim, true);
}

}  // namespace fovea
