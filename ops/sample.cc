#include "fovea/ops/sample.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/sample.h"
#include "fovea/ops/one_device.h"

namespace fovea {

Tensor gaussian_sample(const Tensor& mu, const Tensor& log_sigma, Generator& random) {
  constexpr auto op = "gaussian_sample";
  require(mu.shape() == log_sigma.shape(), op, "shapes differ: mu ", mu.shape(), ", log_sigma ",
          log_sigma.shape(), "; expand() one of them");
  require(mu.dtype() == log_sigma.dtype(), op, "types differ: mu ", mu.dtype(), ", log_sigma ",
          log_sigma.dtype(), "; cast() one of them");
  detail::require_one_device(op, {mu, log_sigma});
  const Tensor m = detail::packed(mu), s = detail::packed(log_sigma);
  Tensor noise = Tensor::empty(m.shape(), m.dtype(), m.device());
  Tensor z = Tensor::empty(m.shape(), m.dtype(), m.device());
  const RandomState start = take_words(random, 2 * m.numel(), m.device());
  std::visit(
      [&](auto d) { gaussian_sample_forward(d, view_of(m), view_of(s), start, view_of(noise), view_of(z)); },
      m.device());
  record(op, {mu, log_sigma}, {z}, [noise = Saved(noise)](Backward& b) {
    const Target dmu = target_of(b, 0), ds = target_of(b, 1);
    std::visit([&](auto d) { gaussian_sample_backward(d, view_of(b.dy()), view_of(noise.get()), dmu, ds); },
               noise->device());
  });
  return z;
}

Tensor bernoulli_sample(const Tensor& logits, Generator& random) {
  const Tensor x = detail::packed(logits);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  const RandomState start = take_words(random, x.numel(), x.device());
  std::visit([&](auto d) { bernoulli_sample(d, view_of(x), start, view_of(y)); }, x.device());
  return y;
}

Tensor categorical_sample(const Tensor& logits, Generator& random) {
  require(logits.rank() > 0 && logits.size(-1) > 0, "categorical_sample", "logits ", logits.shape(),
          " must be [..,K] with at least one class");
  const Tensor x = detail::packed(logits);
  Tensor ids = Tensor::empty(x.shape().erased(x.rank() - 1), DType::i32, x.device());
  const RandomState start = take_words(random, ids.numel(), x.device());
  const Index bad =
      std::visit([&](auto d) { return categorical_sample(d, view_of(x), start, view_of(ids)); }, x.device());
  require(bad == ids.numel(), "categorical_sample", "row ", bad, " of the logits ", x.shape(),
          " is no distribution: it has NaN, inf, or nothing but -inf");
  return ids;
}

}  // namespace fovea
