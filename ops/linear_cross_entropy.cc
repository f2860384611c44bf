#include "fovea/ops/linear_cross_entropy.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/linear_cross_entropy.h"
#include "fovea/ops/by_f32.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

constexpr auto op = "linear_cross_entropy";

void check(const Tensor& x, const Tensor& w, const Tensor& bias, const Tensor& classes,
           const LinearCrossEntropyOptions& o) {
  require(w.rank() == 2 && x.rank() >= 1 && x.size(-1) == w.size(1), op, "x ", x.shape(), " must end in the ",
          w.rank() == 2 ? w.size(1) : -1, " inputs of weight ", w.shape(), " [V,D]");
  const DType dtype = detail::parameter_type(x);
  require(w.dtype() == dtype, op, "types differ: x ", x.dtype(), ", weight ", w.dtype());
  require(!bias.defined() || (bias.shape() == Shape{w.size(0)} && bias.dtype() == dtype), op, "bias ",
          bias.defined() ? bias.shape() : Shape{}, " must have one ", dtype, " for each of the ", w.size(0),
          " classes");
  require(classes.shape() == x.shape().erased(x.rank() - 1), op, "classes ", classes.shape(),
          " must have the shape of x ", x.shape(), " without the last dimension");
  require(classes.dtype() == DType::i32, op, "classes are ", classes.dtype(), "; cast() them to i32");
  require(o.label_smoothing >= 0 && o.label_smoothing < 1, op, "label_smoothing is ", o.label_smoothing,
          "; it must be in [0, 1)");
  require(o.not_smoothed >= -1 && o.not_smoothed < w.size(0), op, "not_smoothed is ", o.not_smoothed,
          "; it must be one of the ", w.size(0), " classes, or -1");
  require(o.reduction != Reduction::none, op,
          "gives mean or sum; for a loss a row call softmax_cross_entropy(linear(...))");
  require(o.chunk_rows >= 0, op, "chunk_rows is ", o.chunk_rows, "; it cannot be below 0");
}

}  // namespace

Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& classes,
                            const LinearCrossEntropyOptions& o) {
  if (detail::needs_f32(x)) return linear_cross_entropy(detail::widened(x), weight, bias, classes, o);
  check(x, weight, bias, classes, o);
  detail::require_one_device(op, {x, weight, bias, classes});
  const Tensor px = detail::packed(x), y = detail::packed(classes), w = detail::factor_beside(x, weight);
  const Tensor b = bias.defined() ? detail::packed(bias) : bias;
  const Tensor loss = Tensor::empty({}, weight.dtype(), x.device());
  const bool recording = Tape::current() != nullptr;
  const auto gradient = [recording](const Tensor& t) {
    return recording && t.defined() && t.tracked() ? Tensor::empty(t.shape(), t.dtype(), t.device())
                                                   : Tensor();
  };
  const Tensor dx = gradient(x), dw = gradient(weight), db = gradient(bias);
  const LinearCrossEntropy call{
      view_of(px),       view_of(w),     view_of(b),     view_of(y),
      o.label_smoothing, o.not_smoothed, o.ignore_index, o.reduction == Reduction::mean,
      o.chunk_rows};
  std::visit(
      [&](auto d) {
        linear_cross_entropy_forward(d, call, view_of(loss), view_of(dx), view_of(dw), view_of(db));
      },
      x.device());
  record(op, {x, weight, bias}, {loss}, [dx = Saved(dx), dw = Saved(dw), db = Saved(db)](Backward& b) {
    const Tensor* made[] = {&dx.get(), &dw.get(), &db.get()};
    for (int i = 0; i < 3; ++i)
      if (const Target to = target_of(b, i))
        std::visit([&](auto d) { scale_gradient(d, view_of(*made[i]), view_of(b.dy()), to); },
                   b.dy().device());
  });
  return loss;
}

}  // namespace fovea
