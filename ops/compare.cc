#include "fovea/ops/compare.h"

#include "fovea/kernels/compare.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

Tensor compare(const char* op, Comparison comparison, const Tensor& x, const Tensor& y) {
  require(x.dtype() == y.dtype(), op, "types differ: ", x.dtype(), " and ", y.dtype(),
          "; cast() one of them");
  detail::require_one_device(op, {x, y});
  const Shape shape = broadcast(op, x.shape(), y.shape());
  Tensor z = Tensor::empty(shape, DType::u8, x.device());
  std::visit(
      [&](auto d) { compare_forward(d, comparison, view_of(x, shape), view_of(y, shape), view_of(z)); },
      z.device());
  return z;
}

Tensor compare(Comparison comparison, const Tensor& x, double y) {
  Tensor z = Tensor::empty(x.shape(), DType::u8, x.device());
  std::visit([&](auto d) { compare_forward(d, comparison, view_of(x), y, view_of(z)); }, z.device());
  return z;
}

Tensor logic(const char* op, Logic logic, const Tensor& x, const Tensor& y) {
  require(x.dtype() == DType::u8 && y.dtype() == DType::u8, op, "takes u8 masks, not ", x.dtype(), " and ",
          y.dtype(), "; make one by a comparison such as not_equal(x, 0)");
  detail::require_one_device(op, {x, y});
  const Shape shape = broadcast(op, x.shape(), y.shape());
  Tensor z = Tensor::empty(shape, DType::u8, x.device());
  std::visit([&](auto d) { logic_forward(d, logic, view_of(x, shape), view_of(y, shape), view_of(z)); },
             z.device());
  return z;
}

}  // namespace

using C = Comparison;

Tensor less(const Tensor& x, const Tensor& y) { return compare("less", C::less, x, y); }
Tensor less_equal(const Tensor& x, const Tensor& y) { return compare("less_equal", C::less_equal, x, y); }
Tensor greater(const Tensor& x, const Tensor& y) { return compare("greater", C::greater, x, y); }
Tensor greater_equal(const Tensor& x, const Tensor& y) {
  return compare("greater_equal", C::greater_equal, x, y);
}
Tensor equal(const Tensor& x, const Tensor& y) { return compare("equal", C::equal, x, y); }
Tensor not_equal(const Tensor& x, const Tensor& y) { return compare("not_equal", C::not_equal, x, y); }

Tensor less(const Tensor& x, double y) { return compare(C::less, x, y); }
Tensor less_equal(const Tensor& x, double y) { return compare(C::less_equal, x, y); }
Tensor greater(const Tensor& x, double y) { return compare(C::greater, x, y); }
Tensor greater_equal(const Tensor& x, double y) { return compare(C::greater_equal, x, y); }
Tensor equal(const Tensor& x, double y) { return compare(C::equal, x, y); }
Tensor not_equal(const Tensor& x, double y) { return compare(C::not_equal, x, y); }

Tensor logical_not(const Tensor& x) {
  require(x.dtype() == DType::u8, "logical_not", "takes a u8 mask, not ", x.dtype(), "; use equal(x, 0)");
  return equal(x, 0);
}
Tensor logical_and(const Tensor& x, const Tensor& y) { return logic("logical_and", Logic::both, x, y); }
Tensor logical_or(const Tensor& x, const Tensor& y) { return logic("logical_or", Logic::either, x, y); }
Tensor logical_xor(const Tensor& x, const Tensor& y) { return logic("logical_xor", Logic::differ, x, y); }

}  // namespace fovea
