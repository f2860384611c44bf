#include "fovea/ops/gru_cell.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/gru_cell.h"
#include "fovea/kernels/linear.h"
#include "fovea/ops/linear.h"
#include "fovea/ops/rnn_cell.h"

namespace fovea {

Tensor gru_cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                const Tensor& b_hh) {
  detail::check_cell("gru_cell", 3, x, h, w_ih, w_hh, b_ih, b_hh);
  const detail::CellInputs in(x, h, w_ih, w_hh, b_ih, b_hh);
  const Index B = x.size(0), H = h.size(1);
  const auto empty = [&](Index columns) { return Tensor::empty({B, columns}, x.dtype(), x.device()); };
  const Tensor gates = empty(3 * H), hidden = empty(3 * H), h_next = empty(H);
  std::visit(
      [&](auto d) {
        gru_cell_forward(d, view_of(in.x), view_of(in.h), view_of(in.w_ih), view_of(in.w_hh),
                         view_of(in.b_ih), view_of(in.b_hh), view_of(gates), view_of(hidden),
                         view_of(h_next));
      },
      x.device());
  record("gru_cell", {x, h, w_ih, w_hh, b_ih, b_hh}, {h_next},
         [x = Saved(in.x), h = Saved(in.h), w_ih = Saved(in.w_ih), w_hh = Saved(in.w_hh),
          gates = Saved(gates), hidden = Saved(hidden)](Backward& b) {
           enum { X, H, W_IH, W_HH, B_IH, B_HH };
           const auto like_gates = [&] {
             return Tensor::empty(gates->shape(), gates->dtype(), gates->device());
           };
           const Tensor dinput = like_gates(), dhidden = like_gates();
           std::visit(
               [&](auto d) {
                 Target dh = target_of(b, H);
                 gru_cell_backward(d, view_of(gates.get()), view_of(hidden.get()), view_of(h.get()),
                                   view_of(b.dy()), view_of(dinput), view_of(dhidden), dh);
                 if (dh) linear_input_gradient(d, view_of(dhidden), view_of(w_hh.get()), dh.dx, Into::add);
                 if (const Target dx = target_of(b, X))
                   linear_input_gradient(d, view_of(dinput), view_of(w_ih.get()), dx.dx, dx.into);
               },
               gates->device());
           detail::add_weight_gradient(b, W_IH, dinput, x);
           detail::add_weight_gradient(b, W_HH, dhidden, h);
           detail::add_bias_gradient(b, B_IH, dinput);
           detail::add_bias_gradient(b, B_HH, dhidden);
         });
  return h_next;
}

}  // namespace fovea
