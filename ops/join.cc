#include "fovea/ops/join.h"

#include "fovea/core/tape.h"
#include "fovea/kernels/copy.h"
#include "fovea/kernels/join.h"
#include "fovea/ops/one_device.h"
#include "fovea/ops/views.h"

namespace fovea {
namespace {

void write(Tensor to, const Tensor& from, Into into = Into::set) {
  std::visit([&](auto d) { copy(d, view_of(to), view_of(from), into); }, to.device());
}

// Writes x into y where their elements follow each other in memory, as along the first dimension; else false.
bool joined(const Tensor& y, std::span<const Tensor> x, int dim) {
  if (y.strides()[dim] * y.shape()[dim] != y.numel()) return false;
  std::vector<View> parts;
  parts.reserve(x.size());
  for (const Tensor& t : x) {
    if (!t.contiguous()) return false;
    parts.push_back(view_of(t));
  }
  std::visit([&](auto d) { join(d, parts, view_of(y)); }, y.device());
  return true;
}

void require_some(const char* op, std::span<const Tensor> x) {
  require(!x.empty(), op, "needs at least one tensor");
  detail::require_one_device(op, x);
  for (const Tensor& t : x)
    require(t.dtype() == x[0].dtype(), op, "types differ: ", x[0].dtype(), " and ", t.dtype(),
            "; cast() one of them");
}

}  // namespace

Tensor concat(std::span<const Tensor> x, int dim) {
  require_some("concat", x);
  dim = x[0].shape().axis(dim, "concat");
  Index total = 0;
  std::vector<Index> sizes;
  for (const Tensor& t : x) {
    require(t.rank() == x[0].rank() && t.shape().replaced(dim, 0) == x[0].shape().replaced(dim, 0), "concat",
            "shapes ", x[0].shape(), " and ", t.shape(), " differ in more than dimension ", dim);
    sizes.push_back(t.shape()[dim]);
    total += sizes.back();
  }
  Tensor y = Tensor::empty(x[0].shape().replaced(dim, total), x[0].dtype(), x[0].device());
  if (!joined(y, x, dim)) {
    Index at = 0;
    for (const Tensor& t : x) {
      write(slice(y, dim, at, at + t.shape()[dim]), t);
      at += t.shape()[dim];
    }
  }
  record("concat", x, {y}, [dim, sizes = std::move(sizes)](Backward& b) {
    Index at = 0;
    for (std::size_t i = 0; i < sizes.size(); at += sizes[i++])
      if (b.wants(static_cast<int>(i))) b.add(static_cast<int>(i), slice(b.dy(), dim, at, at + sizes[i]));
  });
  return y;
}

Tensor stack(std::span<const Tensor> x, int dim) {
  require_some("stack", x);
  const Shape& shape = x[0].shape();
  require(dim >= -shape.rank() - 1 && dim <= shape.rank(), "stack", "no dimension can be put at ", dim,
          " of ", shape);
  if (dim < 0) dim += shape.rank() + 1;
  const auto n = static_cast<Index>(x.size());
  Tensor y = Tensor::empty(shape.inserted(dim, n), x[0].dtype(), x[0].device());
  for (const Tensor& t : x)
    require(t.shape() == shape, "stack", "shapes differ: ", shape, " and ", t.shape());
  if (!joined(y, x, dim))
    for (Index i = 0; i < n; ++i) write(select(y, dim, i), x[static_cast<std::size_t>(i)]);
  record("stack", x, {y}, [dim, n](Backward& b) {
    for (Index i = 0; i < n; ++i)
      if (b.wants(static_cast<int>(i))) b.add(static_cast<int>(i), select(b.dy(), dim, i));
  });
  return y;
}

Tensor concat(std::initializer_list<Tensor> x, int dim) {
  return concat(std::span(x.begin(), x.size()), dim);
}
Tensor stack(std::initializer_list<Tensor> x, int dim) { return stack(std::span(x.begin(), x.size()), dim); }

std::vector<Tensor> split(const Tensor& x, const std::vector<Index>& sizes, int dim) {
  dim = x.shape().axis(dim, "split");
  Index total = 0;
  for (Index s : sizes) {
    require(s >= 0, "split", "size ", s, " is negative");
    total += s;
  }
  require(total == x.shape()[dim], "split", "the sizes add up to ", total, ", dimension ", dim, " of ",
          x.shape(), " is ", x.shape()[dim]);
  std::vector<Tensor> y;
  {
    Pause pause;  // the slices are one step
    Index at = 0;
    for (Index s : sizes) {
      y.push_back(slice(x, dim, at, at + s));
      at += s;
    }
  }
  record("split", {x}, std::span<const Tensor>(y), [dim, sizes](Backward& b) {
    const auto t = b.target(0);
    bool unused = false;
    for (std::size_t i = 0; i < sizes.size(); ++i) unused |= !b.dy(static_cast<int>(i)).defined();
    if (t.into == Into::set && unused) std::visit([&](auto d) { fill(d, view_of(t.dx), 0); }, t.dx.device());
    Index at = 0;
    for (std::size_t i = 0; i < sizes.size(); at += sizes[i++])
      if (const Tensor& dy = b.dy(static_cast<int>(i)); dy.defined())
        write(slice(t.dx, dim, at, at + sizes[i]), dy, t.into);
  });
  return y;
}

std::vector<Tensor> split(const Tensor& x, Index n, int dim) {
  const Index size = x.size(dim);
  require(n > 0 && size % n == 0, "split", "dimension ", dim, " of ", x.shape(), " does not divide into ", n,
          " equal pieces; give their sizes");
  return split(x, std::vector<Index>(static_cast<std::size_t>(n), size / n), dim);
}

}  // namespace fovea
