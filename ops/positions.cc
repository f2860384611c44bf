#include "fovea/ops/positions.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/positions.h"

namespace fovea {

Tensor sinusoidal_positions(Index n, Index dim, DType dtype, Index first, const Device& device) {
  require(n >= 0 && dim >= 0, "sinusoidal_positions", "n is ", n, " and dim ", dim,
          "; neither can be below 0");
  Tensor y = Tensor::empty({n, dim}, dtype, device);
  std::visit([&](auto d) { position_table(d, first, view_of(y)); }, device);
  return y;
}

Tensor rotary(const Tensor& x, const RotaryOptions& o) {
  constexpr auto op = "rotary";
  require(x.rank() >= 2 && x.size(-1) % 2 == 0, op, "x ", x.shape(), " must be [..,L,D] with D even");
  require(o.base > 0, op, "base is ", o.base, "; it must be above 0");
  const Tensor px = detail::packed(x);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  const Rotary turn{o.base, static_cast<double>(o.first), o.interleaved, false};
  std::visit([&](auto d) { rotate(d, turn, view_of(px), {view_of(y), Into::set}); }, x.device());
  record(op, {x}, {y}, [turn](Backward& b) {
    Rotary back = turn;
    back.back = true;
    std::visit([&](auto d) { rotate(d, back, view_of(b.dy()), target_of(b, 0)); }, b.dy().device());
  });
  return y;
}

}  // namespace fovea
