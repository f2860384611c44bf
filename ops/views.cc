#include "fovea/ops/views.h"

#include <optional>

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/copy.h"
#include "fovea/kernels/reduce.h"
#include "fovea/ops/by_f32.h"

namespace fovea {
namespace {

Tensor row_major_view(const Tensor& x, const Shape& shape) {
  return x.view(shape, row_major_strides(shape), 0);
}

// y has x's elements in the same order. The gradient is passed on without a copy.
Tensor reordered(const char* op, const Tensor& x, Tensor y) {
  record(op, {x}, {y}, [shape = x.shape()](Backward& b) { b.add(0, row_major_view(b.dy(), shape)); });
  return y;
}

// `shape` with its -1, if it has one, replaced.
Shape completed(const Shape& from, Shape shape) {
  int unknown = -1;
  Index known = 1;
  for (int d = 0; d < shape.rank(); ++d) {
    if (shape[d] == -1) {
      require(unknown < 0, "reshape", "only one size of ", shape, " may be -1");
      unknown = d;
      continue;
    }
    require(shape[d] >= 0, "reshape", "shape ", shape, " has a negative size");
    known *= shape[d];
  }
  if (unknown >= 0) {
    require(known > 0 && from.numel() % known == 0, "reshape", "the -1 of ", shape,
            " cannot be worked out from ", from);
    return shape.replaced(unknown, from.numel() / known);
  }
  require(known == from.numel(), "reshape", from, " has ", from.numel(), " elements and ", shape, " has ",
          known);
  return shape;
}

// The strides with which `shape` reads x's storage in x's order, if there are such.
std::optional<Shape> strides_under(const Tensor& x, const Shape& shape) {
  if (x.contiguous() || x.numel() == 0) return row_major_strides(shape);
  Shape strides = row_major_strides(shape);
  int to = shape.rank() - 1, d = x.rank() - 1;
  while (true) {
    while (d >= 0 && x.shape()[d] == 1) --d;
    if (d < 0) return strides;  // what is left of the new shape are sizes of 1
    // The run of dimensions from d outwards that lie in storage like one.
    const Index step = x.strides()[d];
    Index run = x.shape()[d--];
    for (; d >= 0 && (x.shape()[d] == 1 || x.strides()[d] == step * run); --d) run *= x.shape()[d];
    // Sizes of the new shape must multiply to it.
    Index filled = 1;
    while (to >= 0 && filled * shape[to] <= run) {
      strides[to] = step * filled;
      filled *= shape[to--];
    }
    if (filled != run) return std::nullopt;
  }
}

// dx (set or +=) dy in the part of it that `part(dx)` views.
template <class Part>
void add_to_part(Backward& b, Part&& part) {
  const auto t = b.target(0);
  std::visit(
      [&](auto d) {
        if (t.into == Into::set) fill(d, view_of(t.dx), 0);
        copy(d, view_of(part(t.dx)), view_of(b.dy()), t.into);
      },
      t.dx.device());
}

Tensor permuted(const Tensor& x, std::span<const int> order) {
  Shape shape = x.shape(), strides = x.strides();
  for (int d = 0; d < x.rank(); ++d) {
    shape[d] = x.shape()[order[static_cast<std::size_t>(d)]];
    strides[d] = x.strides()[order[static_cast<std::size_t>(d)]];
  }
  return x.view(shape, strides, 0);
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  const Shape to = completed(x.shape(), shape);
  if (to == x.shape()) return x;
  const std::optional<Shape> strides = strides_under(x, to);
  return reordered("reshape", x, strides ? x.view(to, *strides, 0) : row_major_view(detail::packed(x), to));
}

Tensor flatten(const Tensor& x, int first, int last) {
  if (x.rank() == 0) return reshape(x, {1});
  first = x.shape().axis(first, "flatten");
  last = x.shape().axis(last, "flatten");
  require(first <= last, "flatten", "dimension ", first, " of ", x.shape(), " does not come before ", last);
  Shape shape = x.shape();
  for (int d = last; d > first; --d) shape = shape.erased(d).replaced(d - 1, shape[d - 1] * shape[d]);
  return reshape(x, shape);
}

Tensor squeeze(const Tensor& x, int dim) {
  dim = x.shape().axis(dim, "squeeze");
  require(x.shape()[dim] == 1, "squeeze", "dimension ", dim, " of ", x.shape(), " does not have size 1");
  return reordered("squeeze", x, x.view(x.shape().erased(dim), x.strides().erased(dim), 0));
}

Tensor unsqueeze(const Tensor& x, int dim) {
  require(dim >= -x.rank() - 1 && dim <= x.rank(), "unsqueeze", "no dimension can be put at ", dim, " of ",
          x.shape());
  if (dim < 0) dim += x.rank() + 1;
  return reordered("unsqueeze", x, x.view(x.shape().inserted(dim, 1), x.strides().inserted(dim, 1), 0));
}

Tensor slice(const Tensor& x, int dim, Index begin, Index end, Index step) {
  dim = x.shape().axis(dim, "slice");
  const Index size = x.shape()[dim];
  const Index from = begin < 0 ? begin + size : begin;
  const Index to = end == to_end ? size : end < 0 ? end + size : end;
  require(0 <= from && from <= to && to <= size, "slice", "positions ", begin, " to ", end,
          " are not in dimension ", dim, " of ", x.shape());
  require(step > 0, "slice", "step ", step, " is not positive; flip() reverses a dimension");
  Tensor y = x.view(x.shape().replaced(dim, (to - from + step - 1) / step),
                    x.strides().replaced(dim, x.strides()[dim] * step), from * x.strides()[dim]);
  record("slice", {x}, {y}, [dim, from, to, step](Backward& b) {
    add_to_part(b, [&](const Tensor& dx) { return slice(dx, dim, from, to, step); });
  });
  return y;
}

Tensor select(const Tensor& x, int dim, Index i) {
  dim = x.shape().axis(dim, "select");
  const Index size = x.shape()[dim], at = i < 0 ? i + size : i;
  require(0 <= at && at < size, "select", "position ", i, " is not in dimension ", dim, " of ", x.shape());
  Tensor y = x.view(x.shape().erased(dim), x.strides().erased(dim), at * x.strides()[dim]);
  record("select", {x}, {y},
         [dim, at](Backward& b) { add_to_part(b, [&](const Tensor& dx) { return select(dx, dim, at); }); });
  return y;
}

Tensor transpose(const Tensor& x, int d0, int d1) {
  d0 = x.shape().axis(d0, "transpose");
  d1 = x.shape().axis(d1, "transpose");
  const auto swapped = [d0, d1](const Tensor& t) {
    const Shape &shape = t.shape(), &strides = t.strides();
    return t.view(shape.replaced(d0, shape[d1]).replaced(d1, shape[d0]),
                  strides.replaced(d0, strides[d1]).replaced(d1, strides[d0]), 0);
  };
  Tensor y = swapped(x);
  record("transpose", {x}, {y}, [swapped](Backward& b) { b.add(0, swapped(b.dy())); });
  return y;
}

Tensor permute(const Tensor& x, const Axes& order) {
  require(static_cast<int>(order.size()) == x.rank(), "permute", order.size(), " dimensions do not reorder ",
          x.shape());
  order.in(x.shape(), "permute");  // each one once
  std::array<int, max_rank> from{}, back{};
  for (int d = 0; d < x.rank(); ++d) {
    const int axis = x.shape().axis(order[static_cast<std::size_t>(d)], "permute");
    from[static_cast<std::size_t>(d)] = axis;
    back[static_cast<std::size_t>(axis)] = d;
  }
  Tensor y = permuted(x, from);
  record("permute", {x}, {y}, [back](Backward& b) { b.add(0, permuted(b.dy(), back)); });
  return y;
}

Tensor expand(const Tensor& x, const Shape& shape) {
  require(broadcast("expand", x.shape(), shape) == shape, "expand", x.shape(), " does not stretch to ",
          shape);
  if (shape == x.shape()) return x;
  const View v = view_of(x, shape);
  Tensor y = x.view(shape, v.strides, 0);
  record("expand", {x}, {y}, [](Backward& b) {
    const auto t = b.target(0);
    const bool by_f32 = detail::needs_f32(t.dx);
    const Tensor dy = by_f32 ? cast(b.dy(), DType::f32) : b.dy();
    const Tensor dx = by_f32 ? Tensor::empty(t.dx.shape(), DType::f32, t.dx.device()) : t.dx;
    const Into into = by_f32 ? Into::set : t.into;
    std::visit(
        [&](auto d) {
          if (dy.numel() > 0)
            sum_forward(d, view_of(dy), 1, view_of(dx, dy.shape()), into);
          else if (into == Into::set)
            fill(d, view_of(dx), 0);
          if (by_f32) copy(d, view_of(t.dx), view_of(dx), t.into);
        },
        dy.device());
  });
  return y;
}

}  // namespace fovea
