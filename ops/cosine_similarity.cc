#include "fovea/ops/cosine_similarity.h"

#include "fovea/core/tape.h"
#include "fovea/kernels/cosine_similarity.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

constexpr auto op = "cosine_similarity";

// A view stretched to `shape`, with dimension `axis` moved to the end.
View stretched(View v, const Shape& shape, int axis) {
  View out = v;
  out.packed = false;
  out.shape = out.strides = shape;
  const int last = shape.rank() - 1, shift = shape.rank() - v.shape.rank();
  for (int d = 0; d <= last; ++d) {
    const int from = d < axis ? d : d < last ? d + 1 : axis, own = from - shift;
    out.shape[d] = shape[from];
    out.strides[d] = own < 0 || (v.shape[own] == 1 && shape[from] != 1) ? 0 : v.strides[own];
  }
  return out;
}

}  // namespace

Tensor cosine_similarity(const Tensor& u, const Tensor& v, int dim, double eps) {
  const Shape shape = broadcast(op, u.shape(), v.shape());
  const int axis = shape.axis(dim, op);
  const auto own_size = [&](const Tensor& t) {
    const int own = axis - (shape.rank() - t.rank());
    return own < 0 ? Index{-1} : t.shape()[own];
  };
  require(own_size(u) == own_size(v), op, "u ", u.shape(), " and v ", v.shape(),
          " must have the same size in dimension ", dim, ", over which the product is taken");
  require(u.dtype() == v.dtype(), op, "types differ: u ", u.dtype(), ", v ", v.dtype(),
          "; cast() one of them");
  require(eps > 0, op, "eps is ", eps, "; it must be above 0");
  detail::require_one_device(op, {u, v});
  Tensor k = Tensor::empty(shape.erased(axis), u.dtype(), u.device());
  std::visit(
      [&](auto d) {
        cosine_similarity_forward(d, stretched(view_of(u), shape, axis), stretched(view_of(v), shape, axis),
                                  eps, view_of(k));
      },
      k.device());
  record(op, {u, v}, {k}, [u = Saved(u), v = Saved(v), shape, axis, eps](Backward& b) {
    const auto target = [&](int i) {
      Target t = target_of(b, i);
      if (t) t.dx = stretched(t.dx, shape, axis);
      return t;
    };
    const View vu = stretched(view_of(u.get()), shape, axis), vv = stretched(view_of(v.get()), shape, axis);
    const Target du = target(0), dv = target(1);
    std::visit([&](auto d) { cosine_similarity_backward(d, vu, vv, eps, view_of(b.dy()), du, dv); },
               u->device());
  });
  return k;
}

}  // namespace fovea
