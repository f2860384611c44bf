#include "fovea/ops/rnn_cell.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/linear.h"
#include "fovea/kernels/rnn_cell.h"
#include "fovea/kernels/target.h"
#include "fovea/ops/linear.h"
#include "fovea/ops/one_device.h"

namespace fovea {

void detail::check_cell(const char* op, Index gates, const Tensor& x, const Tensor& h, const Tensor& w_ih,
                        const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh) {
  struct Named {
    const char* name;
    const Tensor& t;
  };
  for (const auto& [name, t] : {Named{"x", x}, {"h", h}, {"w_ih", w_ih}, {"w_hh", w_hh}})
    require(t.rank() == 2, op, name, " is ", t.shape(), "; it must be a matrix");
  // H stands in three places: the one that disagrees with the two others is at fault.
  const Index B = x.size(0), I = x.size(1), H = h.size(1) * gates == w_ih.size(0) ? h.size(1) : w_hh.size(1);
  const auto expect = [&](const Named& it, const Shape& shape, const auto&... why) {
    require(it.t.shape() == shape, op, it.name, " is ", it.t.shape(), "; it must be ", shape, why...);
  };
  expect({"w_hh", w_hh}, {gates * H, H}, " for h ", h.shape(), " and w_ih ", w_ih.shape());
  require(w_ih.size(0) == gates * H, op, "w_ih is ", w_ih.shape(), "; it must be ", Shape{gates * H, I},
          " for x ", x.shape(), " and w_hh ", w_hh.shape());
  expect({"x", x}, {B, w_ih.size(1)}, " for w_ih ", w_ih.shape());
  expect({"h", h}, {B, H}, ": the batch of x ", x.shape(), " and what w_hh ", w_hh.shape(), " takes");
  for (const Named& bias : {Named{"bias b_ih", b_ih}, {"bias b_hh", b_hh}})
    if (bias.t.defined()) expect(bias, {gates * H});
  for (const auto& [name, t] :
       {Named{"h", h}, {"w_ih", w_ih}, {"w_hh", w_hh}, {"bias b_ih", b_ih}, {"bias b_hh", b_hh}})
    require(!t.defined() || t.dtype() == x.dtype(), op, name, " is ", t.defined() ? t.dtype() : x.dtype(),
            " and x ", x.dtype(), "; cast() one of them");
  require_one_device(op, {x, h, w_ih, w_hh, b_ih, b_hh});
}

detail::CellInputs::CellInputs(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh,
                               const Tensor& b_ih, const Tensor& b_hh)
    : x(packed(x)),
      h(packed(h)),
      w_ih(packed(w_ih)),
      w_hh(packed(w_hh)),
      b_ih(b_ih.defined() ? packed(b_ih) : b_ih),
      b_hh(b_hh.defined() ? packed(b_hh) : b_hh) {}

Tensor rnn_cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                const Tensor& b_hh, RnnActivation activation) {
  detail::check_cell("rnn_cell", 1, x, h, w_ih, w_hh, b_ih, b_hh);
  const detail::CellInputs in(x, h, w_ih, w_hh, b_ih, b_hh);
  const bool relu = activation == RnnActivation::relu;
  Tensor h_next = Tensor::empty(h.shape(), h.dtype(), h.device());
  std::visit(
      [&](auto d) {
        rnn_cell_forward(d, relu, view_of(in.x), view_of(in.h), view_of(in.w_ih), view_of(in.w_hh),
                         view_of(in.b_ih), view_of(in.b_hh), view_of(h_next));
      },
      x.device());
  record("rnn_cell", {x, h, w_ih, w_hh, b_ih, b_hh}, {h_next},
         [relu, x = Saved(in.x), h = Saved(in.h), w_ih = Saved(in.w_ih), w_hh = Saved(in.w_hh),
          h_next = Saved(h_next)](Backward& b) {
           enum { X, H, W_IH, W_HH, B_IH, B_HH };
           const Tensor dsum = Tensor::empty(h->shape(), h->dtype(), h->device());
           std::visit(
               [&](auto d) {
                 rnn_cell_backward(d, relu, view_of(h_next.get()), view_of(b.dy()), view_of(dsum));
                 for (auto [input, w] : {std::pair{X, &w_ih}, {H, &w_hh}})
                   if (const Target to = target_of(b, input))
                     linear_input_gradient(d, view_of(dsum), view_of(w->get()), to.dx, to.into);
               },
               h->device());
           detail::add_weight_gradient(b, W_IH, dsum, x);
           detail::add_weight_gradient(b, W_HH, dsum, h);
           detail::add_bias_gradient(b, B_IH, dsum);
           detail::add_bias_gradient(b, B_HH, dsum);
         });
  return h_next;
}

}  // namespace fovea
