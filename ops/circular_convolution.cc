#include "fovea/ops/circular_convolution.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/circular_convolution.h"
#include "fovea/ops/one_device.h"

namespace fovea {

Tensor circular_convolution(const Tensor& w, const Tensor& s) {
  constexpr auto op = "circular_convolution";
  require(
      w.rank() > 0 && s.rank() == w.rank() && s.shape().replaced(s.rank() - 1, w.shape().back()) == w.shape(),
      op, "w ", w.shape(), " and s ", s.shape(), " must agree in all dimensions but the last");
  const Index n = w.shape().back(), shifts = s.shape().back();
  require(shifts % 2 == 1 && shifts <= n, op, "s ", s.shape(), " has ", shifts,
          " shifts; their number must be odd and at most the ", n, " rows of w ", w.shape());
  require(w.dtype() == s.dtype(), op, "types differ: w ", w.dtype(), ", s ", s.dtype(),
          "; cast() one of them");
  detail::require_one_device(op, {w, s});
  const Tensor pw = detail::packed(w), ps = detail::packed(s);
  Tensor y = Tensor::empty(w.shape(), w.dtype(), w.device());
  std::visit([&](auto d) { circular_convolution_forward(d, view_of(pw), view_of(ps), view_of(y)); },
             w.device());
  record(op, {w, s}, {y}, [w = Saved(pw), s = Saved(ps)](Backward& b) {
    const Target dw = target_of(b, 0), ds = target_of(b, 1);
    std::visit(
        [&](auto d) {
          circular_convolution_backward(d, view_of(w.get()), view_of(s.get()), view_of(b.dy()), dw, ds);
        },
        w->device());
  });
  return y;
}

}  // namespace fovea
