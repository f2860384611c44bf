#include "fovea/ops/lstm_cell.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/linear.h"
#include "fovea/kernels/lstm_cell.h"
#include "fovea/ops/linear.h"
#include "fovea/ops/one_device.h"
#include "fovea/ops/rnn_cell.h"

namespace fovea {
LstmState lstm_cell(const Tensor& x, const LstmState& state, const Tensor& w_ih, const Tensor& w_hh,
                    const Tensor& b_ih, const Tensor& b_hh) {
  detail::check_cell("lstm_cell", 4, x, state.h, w_ih, w_hh, b_ih, b_hh);
  require(state.c.shape() == state.h.shape() && state.c.dtype() == x.dtype(), "lstm_cell", "c is ",
          state.c.shape(), " ", state.c.dtype(), "; it must be ", state.h.shape(), " ", x.dtype(),
          " as h is");
  detail::require_one_device("lstm_cell", {x, state.c});
  const Index B = x.size(0), H = state.h.size(1);
  const Tensor in = detail::packed(x), h = detail::packed(state.h), c = detail::packed(state.c);
  const Tensor wi = detail::packed(w_ih), wh = detail::packed(w_hh);
  const Tensor bi = b_ih.defined() ? detail::packed(b_ih) : b_ih,
               bh = b_hh.defined() ? detail::packed(b_hh) : b_hh;
  Tensor gates = Tensor::empty({B, 4 * H}, x.dtype(), x.device());
  LstmState next{Tensor::empty({B, H}, x.dtype(), x.device()), Tensor::empty({B, H}, x.dtype(), x.device())};
  std::visit(
      [&](auto d) {
        lstm_cell_forward(d, view_of(in), view_of(h), view_of(c), view_of(wi), view_of(wh), view_of(bi),
                          view_of(bh), view_of(gates), view_of(next.h), view_of(next.c));
      },
      x.device());
  record("lstm_cell", {x, state.h, state.c, w_ih, w_hh, b_ih, b_hh}, {next.h, next.c},
         [x = Saved(in), h = Saved(h), c = Saved(c), gates = Saved(gates), c_next = Saved(next.c),
          w_ih = Saved(wi), w_hh = Saved(wh)](Backward& b) {
           enum { X, H, C, W_IH, W_HH, B_IH, B_HH };
           Tensor dgates = Tensor::empty(gates->shape(), gates->dtype(), gates->device());
           std::visit(
               [&](auto d) {
                 Backward::Target dc{Tensor(), Into::set};
                 if (b.wants(C)) dc = b.target(C);
                 lstm_cell_backward(d, view_of(gates.get()), view_of(c.get()), view_of(c_next.get()),
                                    view_of(b.dy(0)), view_of(b.dy(1)), view_of(dgates), view_of(dc.dx),
                                    dc.into);
                 for (auto [input, w] : {std::pair{X, &w_ih}, {H, &w_hh}})
                   if (b.wants(input)) {
                     auto [dx, into] = b.target(input);
                     linear_input_gradient(d, view_of(dgates), view_of(w->get()), view_of(dx), into);
                   }
               },
               gates->device());
           detail::add_weight_gradient(b, W_IH, dgates, x);
           detail::add_weight_gradient(b, W_HH, dgates, h);
           detail::add_bias_gradient(b, B_IH, dgates);
           detail::add_bias_gradient(b, B_HH, dgates);
         });
  return next;
}

}  // namespace fovea
