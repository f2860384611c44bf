#include "fovea/ops/ntm_write.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/ntm_write.h"
#include "fovea/ops/one_device.h"

namespace fovea {

Tensor ntm_write(const Tensor& memory, const Tensor& w, const Tensor& erase, const Tensor& add) {
  constexpr auto op = "ntm_write";
  require(memory.rank() == 3 && w.rank() == 3, op, "needs memory [B,N,M] and w [B,H,N]; got ", memory.shape(),
          " and ", w.shape());
  const Index B = memory.size(0), N = memory.size(1), M = memory.size(2), H = w.size(1);
  require(H >= 1 && w.shape() == Shape{B, H, N} && erase.shape() == Shape{B, H, M} &&
              add.shape() == Shape{B, H, M},
          op, "w ", w.shape(), ", erase ", erase.shape(), " and add ", add.shape(),
          " must be [B,H,N], [B,H,M] and [B,H,M] for memory ", memory.shape());
  for (const Tensor* t : {&w, &erase, &add})
    require(t->dtype() == memory.dtype(), op, "types differ: ", memory.dtype(), " and ", t->dtype());
  detail::require_one_device(op, {memory, w, erase, add});
  const Tensor m = detail::packed(memory), weights = detail::packed(w), e = detail::packed(erase),
               a = detail::packed(add);
  Tensor y = Tensor::empty(memory.shape(), memory.dtype(), memory.device());
  std::visit(
      [&](auto d) { ntm_write_forward(d, view_of(m), view_of(weights), view_of(e), view_of(a), view_of(y)); },
      memory.device());
  record(op, {memory, w, erase, add}, {y},
         [m = Saved(m), w = Saved(weights), e = Saved(e), a = Saved(a)](Backward& b) {
           const NtmWriteGradients g{target_of(b, 0), target_of(b, 1), target_of(b, 2), target_of(b, 3)};
           std::visit(
               [&](auto d) {
                 ntm_write_backward(d, view_of(m.get()), view_of(w.get()), view_of(e.get()), view_of(a.get()),
                                    view_of(b.dy()), g);
               },
               m->device());
         });
  return y;
}

}  // namespace fovea
