#include "fovea/ops/softmax.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/softmax.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

Tensor apply(const char* op, bool log, const Tensor& x, const Tensor& keep_mask, int dim) {
  const int axis = x.shape().axis(dim, op);
  const Tensor packed = detail::packed(x);
  const View keep = keep_mask.defined() ? view_of(keep_mask, x.shape()) : View();
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  std::visit([&](auto d) { softmax_forward(d, log, view_of(packed), keep, axis, view_of(y)); }, x.device());
  record(op, {x}, {y}, [log, axis, y = Saved(y)](Backward& b) {
    std::visit(
        [&](auto d) { softmax_backward(d, log, view_of(y.get()), view_of(b.dy()), axis, target_of(b, 0)); },
        y->device());
  });
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x, int dim) { return apply("softmax", false, x, Tensor(), dim); }
Tensor log_softmax(const Tensor& x, int dim) { return apply("log_softmax", true, x, Tensor(), dim); }

Tensor masked_softmax(const Tensor& x, const Tensor& keep_mask, int dim) {
  require(keep_mask.dtype() == DType::u8, "masked_softmax", "keep_mask is ", keep_mask.dtype(),
          "; it must be u8 (1 where an element is kept)");
  detail::require_one_device("masked_softmax", {x, keep_mask});
  require(broadcast("masked_softmax", x.shape(), keep_mask.shape()) == x.shape(), "masked_softmax",
          "keep_mask ", keep_mask.shape(), " is larger than x ", x.shape(),
          "; expand() x to its shape first");
  return apply("masked_softmax", false, x, keep_mask, dim);
}

}  // namespace fovea
