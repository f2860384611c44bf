#include "fovea/ops/dropout.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/dropout.h"
#include "fovea/ops/by_f32.h"

namespace fovea {

Tensor dropout(const Tensor& x, double p, Generator& random, bool training) {
  require(p >= 0 && p < 1, "dropout", "p is ", p, "; it must be in [0, 1)");
  if (!training || p == 0) return x;
  if (detail::needs_f32(x))
    return detail::by_f32([&](const Tensor& wide) { return dropout(wide, p, random); }, x);
  const Tensor packed = detail::packed(x);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  Tensor keep = Tensor::empty(x.shape(), DType::u8, x.device());
  const RandomState start = take_words(random, x.numel(), x.device());
  std::visit([&](auto d) { dropout_forward(d, view_of(packed), p, start, view_of(keep), view_of(y)); },
             x.device());
  record("dropout", {x}, {y}, [p, keep = Saved(keep)](Backward& b) {
    std::visit([&](auto d) { dropout_backward(d, view_of(b.dy()), p, view_of(keep.get()), target_of(b, 0)); },
               keep->device());
  });
  return y;
}

}  // namespace fovea
