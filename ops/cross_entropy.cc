#include "fovea/ops/cross_entropy.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/cross_entropy.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

constexpr auto op = "softmax_cross_entropy";

void check(const Tensor& logits, const Tensor& classes, const CrossEntropyOptions& o) {
  require(logits.rank() > 0 && classes.shape() == logits.shape().erased(logits.rank() - 1), op, "classes ",
          classes.shape(), " must have the shape of the logits ", logits.shape(),
          " without the last dimension");
  require(classes.dtype() == DType::i32, op, "classes are ", classes.dtype(), "; cast() them to i32");
  require(o.label_smoothing >= 0 && o.label_smoothing < 1, op, "label_smoothing is ", o.label_smoothing,
          "; it must be in [0, 1)");
  const Tensor& w = o.class_weights;
  detail::require_one_device(op, {logits, classes, w});
  if (!w.defined()) return;
  require(w.shape() == Shape{logits.shape().back()} && w.dtype() == logits.dtype(), op, "class_weights ",
          w.dtype(), w.shape(), " must be ", logits.dtype(), "(", logits.shape().back(),
          "), one for each class");
  require(!Tape::current() || !w.tracked(), op, "class_weights takes no gradient; detach() it");
}

CrossEntropy pack(const Tensor& x, const Tensor& y, const Tensor& w, const Tensor& stats,
                  const CrossEntropyOptions& o) {
  const auto reduction = o.reduction == Reduction::mean  ? CrossEntropy::mean
                         : o.reduction == Reduction::sum ? CrossEntropy::sum
                                                         : CrossEntropy::none;
  return {view_of(x), view_of(y), view_of(w), view_of(stats), o.label_smoothing, o.ignore_index, reduction};
}

}  // namespace

Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& classes,
                             const CrossEntropyOptions& options) {
  check(logits, classes, options);
  const Tensor x = detail::packed(logits), y = detail::packed(classes);
  const Tensor w = options.class_weights.defined() ? detail::packed(options.class_weights) : Tensor();
  Tensor stats = Tensor::empty({2, y.numel()}, x.dtype(), x.device());
  Tensor losses = Tensor::empty(y.shape(), x.dtype(), x.device());
  Tensor loss = options.reduction == Reduction::none ? losses : Tensor::empty({}, x.dtype(), x.device());
  std::visit(
      [&](auto d) {
        cross_entropy_forward(d, pack(x, y, w, stats, options), view_of(losses), view_of(loss));
      },
      x.device());
  CrossEntropyOptions o = options;
  o.class_weights = Tensor();  // saved below
  record(op, {logits}, {loss}, [x = Saved(x), y = Saved(y), w = Saved(w), stats, o](Backward& b) {
    std::visit(
        [&](auto d) { cross_entropy_backward(d, pack(x, y, w, stats, o), view_of(b.dy()), target_of(b, 0)); },
        x->device());
  });
  return loss;
}

}  // namespace fovea
