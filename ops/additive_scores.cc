#include "fovea/ops/additive_scores.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/additive_scores.h"
#include "fovea/ops/one_device.h"

namespace fovea {

Tensor additive_scores(const Tensor& q, const Tensor& k, const Tensor& v) {
  constexpr auto op = "additive_scores";
  require(q.rank() == 3 && k.rank() == 3 && v.rank() == 1 && q.size(0) == k.size(0) &&
              q.size(2) == k.size(2) && v.size(0) == q.size(2),
          op, "needs queries [B,T,A], keys [B,S,A] and v [A]; got ", q.shape(), ", ", k.shape(), " and ",
          v.shape());
  require(q.dtype() == k.dtype() && q.dtype() == v.dtype(), op, "types differ: queries ", q.dtype(),
          ", keys ", k.dtype(), ", v ", v.dtype(), "; cast() them");
  detail::require_one_device(op, {q, k, v});
  const Tensor qp = detail::packed(q), kp = detail::packed(k), vp = detail::packed(v);
  const Tensor e = Tensor::empty({q.size(0), q.size(1), k.size(1)}, q.dtype(), q.device());
  std::visit([&](auto d) { additive_scores_forward(d, view_of(qp), view_of(kp), view_of(vp), view_of(e)); },
             e.device());
  record(op, {q, k, v}, {e}, [q = Saved(qp), k = Saved(kp), v = Saved(vp)](Backward& b) {
    const Target dq = target_of(b, 0), dk = target_of(b, 1), dv = target_of(b, 2);
    std::visit(
        [&](auto d) {
          additive_scores_backward(d, view_of(q.get()), view_of(k.get()), view_of(v.get()), view_of(b.dy()),
                                   dq, dk, dv);
        },
        q->device());
  });
  return e;
}

}  // namespace fovea
