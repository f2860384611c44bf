#include "fovea/ops/ntm_addressing.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/ntm_addressing.h"
#include "fovea/ops/one_device.h"

namespace fovea {

Tensor ntm_addressing(const Tensor& parameters, const Tensor& memory, const Tensor& w_previous,
                      bool tanh_key) {
  constexpr auto op = "ntm_addressing";
  require(parameters.rank() == 3 && memory.rank() == 3 && w_previous.rank() == 3, op,
          "needs parameters [B,H,M+S+3], memory [B,N,M] and w_previous [B,H,N]; got ", parameters.shape(),
          ", ", memory.shape(), ", ", w_previous.shape());
  const Index B = memory.size(0), N = memory.size(1), M = memory.size(2), H = parameters.size(1);
  const Index S = parameters.size(2) - M - 3;
  require(parameters.size(0) == B && w_previous.shape() == Shape{B, H, N}, op, "parameters ",
          parameters.shape(), " and w_previous ", w_previous.shape(), " do not fit memory ", memory.shape());
  require(S >= 1 && S % 2 == 1 && S <= 63 && S <= N, op, "parameters ", parameters.shape(), " leave S = ", S,
          " shift weights beside a key of ", M, "; S must be odd, at most 63 and at most the ", N, " rows");
  require(parameters.dtype() == memory.dtype() && w_previous.dtype() == memory.dtype(), op,
          "types differ: ", parameters.dtype(), ", ", memory.dtype(), ", ", w_previous.dtype());
  detail::require_one_device(op, {parameters, memory, w_previous});
  const Tensor p = detail::packed(parameters), m = detail::packed(memory),
               before = detail::packed(w_previous);
  Tensor w = Tensor::empty({B, H, N}, memory.dtype(), memory.device());
  Tensor trace = Tensor::empty({B, 3 * H + 1, N}, memory.dtype(), memory.device());
  std::visit(
      [&](auto d) {
        ntm_addressing_forward(d, view_of(p), view_of(m), view_of(before), tanh_key, view_of(trace),
                               view_of(w));
      },
      memory.device());
  record(op, {parameters, memory, w_previous}, {w},
         [p = Saved(p), m = Saved(m), before = Saved(before), trace = Saved(trace), w = Saved(w),
          tanh_key](Backward& b) {
           const NtmAddressingGradients g{target_of(b, 0), target_of(b, 1), target_of(b, 2)};
           std::visit(
               [&](auto d) {
                 ntm_addressing_backward(d, view_of(p.get()), view_of(m.get()), view_of(before.get()),
                                         tanh_key, view_of(trace.get()), view_of(w.get()), view_of(b.dy()),
                                         g);
               },
               w->device());
         });
  return w;
}

}  // namespace fovea
