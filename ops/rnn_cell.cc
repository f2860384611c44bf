#include "fovea/ops/rnn_cell.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/linear.h"
#include "fovea/kernels/rnn_cell.h"
#include "fovea/kernels/target.h"
#include "fovea/ops/linear.h"

namespace fovea {

void detail::check_cell(const char* op, Index gates, const Tensor& x, const Tensor& h, const Tensor& w_ih,
                        const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh) {
  require(x.rank() == 2 && h.rank() == 2 && x.size(0) == h.size(0), op, "x ", x.shape(), " and h ", h.shape(),
          " must be [B,I] and [B,H] with one batch size");
  const Index I = x.size(1), H = h.size(1);
  require(w_ih.shape() == Shape{gates * H, I} && w_hh.shape() == Shape{gates * H, H}, op, "weights ",
          w_ih.shape(), " and ", w_hh.shape(), " must be ", Shape{gates * H, I}, " and ", Shape{gates * H, H},
          " for x ", x.shape(), " and h ", h.shape());
  for (const Tensor* bias : {&b_ih, &b_hh})
    require(!bias->defined() || bias->shape() == Shape{gates * H}, op, "a bias is ",
            bias->defined() ? bias->shape() : Shape(), "; it must be ", Shape{gates * H});
  for (const Tensor* t : {&h, &w_ih, &w_hh, &b_ih, &b_hh})
    require(!t->defined() || t->dtype() == x.dtype(), op, "an input is not ", x.dtype(),
            " as x is; cast() it");
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
