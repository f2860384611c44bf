#include "fovea/ops/gather.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/copy.h"
#include "fovea/kernels/gather.h"
#include "fovea/ops/by_f32.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

// `index`, row-major, with every element in 0..limit-1.
Tensor checked(const char* op, const Tensor& index, Index limit) {
  require(index.dtype() == DType::i32, op, "positions are i32, not ", index.dtype(), "; cast() them");
  Tensor packed = detail::packed(index);
  const Index bad =
      std::visit([&](auto d) { return first_outside(d, op, view_of(packed), limit); }, packed.device());
  if (bad < 0) return packed;
  Shape position = packed.shape();
  Index rest = bad;
  for (int d = position.rank(); d-- > 0;) {
    position[d] = rest % packed.shape()[d];
    rest /= packed.shape()[d];
  }
  const Tensor value = packed.view({}, {}, bad);
  fail(op, "index ", value.item<Index>(), " at position ", position, " is not in 0..", limit - 1, " (limit ",
       limit, ")");
}

void require_same_but(const char* op, int dim, const Tensor& x, const Tensor& index) {
  require(index.rank() == x.rank() && index.shape().replaced(dim, 0) == x.shape().replaced(dim, 0), op,
          "index ", index.shape(), " must have the shape of x ", x.shape(), " but for dimension ", dim);
  detail::require_one_device(op, {x, index});
}

// dx of gather: zero, then added to at the positions.
void scatter(Backward& b, int dim, const Tensor& index) {
  auto t = b.target(0);
  std::visit(
      [&](auto d) {
        if (t.into == Into::set) fill(d, view_of(t.dx), 0);
        scatter_add_forward(d, view_of(b.dy()), dim, view_of(index), view_of(t.dx));
      },
      t.dx.device());
}

// index_select under another name; `shape` is y's.
Tensor rows(const char* op, const Tensor& x, int dim, const Tensor& index, const Shape& shape) {
  detail::require_one_device(op, {x, index});
  if (detail::needs_f32(x))
    return detail::by_f32([&](const Tensor& a) { return rows(op, a, dim, index, shape); }, x);
  const Tensor from = detail::packed(x), p = checked(op, index, x.shape()[dim]).view({index.numel()}, {1}, 0);
  const Shape selected = x.shape().replaced(dim, index.numel());
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  const auto flat = [selected](const Tensor& t) { return t.view(selected, row_major_strides(selected), 0); };
  std::visit([&](auto d) { index_select_forward(d, view_of(from), dim, view_of(p), view_of(flat(y))); },
             x.device());
  record(op, {x}, {y}, [dim, flat, p = Saved(p)](Backward& b) {
    auto t = b.target(0);
    std::visit(
        [&](auto d) {
          if (t.into == Into::set) fill(d, view_of(t.dx), 0);
          index_select_backward(d, view_of(flat(b.dy())), dim, view_of(p.get()), view_of(t.dx));
        },
        t.dx.device());
  });
  return y;
}

}  // namespace

Tensor gather(const Tensor& x, int dim, const Tensor& index) {
  dim = x.shape().axis(dim, "gather");
  require_same_but("gather", dim, x, index);
  if (detail::needs_f32(x)) return detail::by_f32([&](const Tensor& a) { return gather(a, dim, index); }, x);
  const Tensor from = detail::packed(x), p = checked("gather", index, x.shape()[dim]);
  Tensor y = Tensor::empty(index.shape(), x.dtype(), x.device());
  std::visit([&](auto d) { gather_forward(d, view_of(from), dim, view_of(p), view_of(y)); }, x.device());
  record("gather", {x}, {y}, [dim, p = Saved(p)](Backward& b) { scatter(b, dim, p); });
  return y;
}

Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, const Tensor& src) {
  dim = x.shape().axis(dim, "scatter_add");
  require_same_but("scatter_add", dim, x, index);
  require(index.shape() == src.shape(), "scatter_add", "index ", index.shape(), " and src ", src.shape(),
          " must have one shape");
  require(x.dtype() == src.dtype(), "scatter_add", "types differ: ", x.dtype(), " and ", src.dtype(),
          "; cast() one of them");
  detail::require_one_device("scatter_add", {x, src});
  if (detail::needs_f32(x))
    return detail::by_f32([&](const Tensor& a, const Tensor& b) { return scatter_add(a, dim, index, b); }, x,
                          src);
  const Tensor p = checked("scatter_add", index, x.shape()[dim]), from = detail::packed(src);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  std::visit(
      [&](auto d) {
        copy(d, view_of(y), view_of(x));
        scatter_add_forward(d, view_of(from), dim, view_of(p), view_of(y));
      },
      x.device());
  record("scatter_add", {x, src}, {y}, [dim, p = Saved(p)](Backward& b) {
    if (b.wants(1)) b.add(1, gather(b.dy(), dim, p));
    b.add(0, b.dy());
  });
  return y;
}

Tensor index_select(const Tensor& x, int dim, const Tensor& index) {
  dim = x.shape().axis(dim, "index_select");
  require(index.rank() == 1, "index_select", "takes a list of positions (K), not ", index.shape());
  return rows("index_select", x, dim, index, x.shape().replaced(dim, index.numel()));
}

Tensor embedding(const Tensor& weight, const Tensor& ids) {
  require(weight.rank() == 2, "embedding", "the table is (V,D), not ", weight.shape());
  return rows("embedding", weight, 0, ids, ids.shape().inserted(ids.rank(), weight.shape()[1]));
}

Tensor one_hot(const Tensor& ids, Index n, DType dtype) {
  require(n >= 0, "one_hot", "n = ", n, " is negative");
  const Tensor p = checked("one_hot", ids, n);
  Tensor y = Tensor::empty(ids.shape().inserted(ids.rank(), n), dtype, ids.device());
  std::visit([&](auto d) { one_hot_forward(d, view_of(p), view_of(y)); }, y.device());
  return y;
}

}  // namespace fovea
