#include "fovea/kernels/gemm.h"
#include "fovea/kernels/linear.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/rnn_cell.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {

void rnn_cell_forward(Cpu cpu, bool relu, const View& x, const View& h, const View& w_ih, const View& w_hh,
                      const View& b_ih, const View& b_hh, const View& h_next) {
  const Index B = h.shape[0], H = h.shape[1], ld = std::max<Index>(H, 1);
  linear_forward(cpu, x, w_ih, b_ih, h_next);
  visit_float("rnn_cell", h.dtype, [&]<class T>() {
    T* y = h_next.as<T>();
    const T* bias = b_hh.as<const T>();
    gemm(cpu, B, H, H, {h.as<const T>(), ld}, {w_hh.as<const T>(), ld, true}, {y, ld}, Into::add);
    parallel_for(B, H, costly_grain, [&](Index begin, Index end) {
      for (Index b = begin; b < end; ++b) {
        T* to = y + b * H;
        if (bias) store(to, H, Into::add, [&](Index j) { return bias[j]; });
        if (relu)
          store(to, H, Into::set, [&](Index j) { return to[j] < 0 ? T(0) : to[j]; });
        else
          store(to, H, Into::set, [&](Index j) { return math::tanh(to[j]); });
      }
    });
  });
}

void rnn_cell_backward(Cpu, bool relu, const View& h_next, const View& dh_next, const View& dsum) {
  visit_float("rnn_cell", h_next.dtype, [&]<class T>() {
    const T *y = h_next.as<const T>(), *dy = dh_next.as<const T>();
    if (relu)
      store(dsum.as<T>(), h_next.numel(), Into::set, [&](Index j) { return y[j] > 0 ? dy[j] : T(0); });
    else
      store(dsum.as<T>(), h_next.numel(), Into::set, [&](Index j) { return dy[j] * (1 - y[j] * y[j]); });
  });
}

}  // namespace fovea
