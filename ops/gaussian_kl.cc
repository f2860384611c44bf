#include "fovea/ops/gaussian_kl.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/gaussian_kl.h"
#include "fovea/ops/one_device.h"

namespace fovea {

Tensor gaussian_kl(const Tensor& mu, const Tensor& log_sigma) {
  constexpr auto op = "gaussian_kl";
  require(mu.shape() == log_sigma.shape() && mu.rank() > 0, op, "mu ", mu.shape(), " and log_sigma ",
          log_sigma.shape(), " must have one shape [..,D]");
  require(mu.dtype() == log_sigma.dtype(), op, "types differ: mu ", mu.dtype(), ", log_sigma ",
          log_sigma.dtype(), "; cast() one of them");
  detail::require_one_device(op, {mu, log_sigma});
  const Tensor m = detail::packed(mu), s = detail::packed(log_sigma);
  Tensor kl = Tensor::empty(m.shape().erased(m.rank() - 1), m.dtype(), m.device());
  std::visit([&](auto d) { gaussian_kl_forward(d, view_of(m), view_of(s), view_of(kl)); }, m.device());
  record(op, {mu, log_sigma}, {kl}, [m = Saved(m), s = Saved(s)](Backward& b) {
    const Target dm = target_of(b, 0), ds = target_of(b, 1);
    std::visit(
        [&](auto d) { gaussian_kl_backward(d, view_of(m.get()), view_of(s.get()), view_of(b.dy()), dm, ds); },
        m->device());
  });
  return kl;
}

}  // namespace fovea
