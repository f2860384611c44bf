#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/gemm.h"
#include "fovea/kernels/linear.h"
#include "fovea/kernels/rnn_cell.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

template <class T>
void activate(Cuda d, bool relu, Index B, Index H, const T* b_ih, const T* b_hh, T* y) {
  each(d, B * H, [=] __device__(Index k) {
    const Index j = k % H;
    const T sum = y[k] + (b_ih ? b_ih[j] : T(0)) + (b_hh ? b_hh[j] : T(0));
    y[k] = relu ? (sum < 0 ? T(0) : sum) : math::tanh(sum);
  });
}

template <class T>
void backward(Cuda d, bool relu, Index n, const T* y, const T* dy, T* dsum) {
  each(d, n,
       [=] __device__(Index k) { dsum[k] = relu ? (y[k] > 0 ? dy[k] : T(0)) : dy[k] * (1 - y[k] * y[k]); });
}

}  // namespace

void rnn_cell_forward(Cuda d, bool relu, const View& x, const View& h, const View& w_ih, const View& w_hh,
                      const View& b_ih, const View& b_hh, const View& h_next) {
  const Index B = h.shape[0], H = h.shape[1], ld = std::max<Index>(H, 1);
  linear_forward(d, x, w_ih, {}, h_next);
  visit_float("rnn_cell", h.dtype, [&]<class T>() {
    gemm(d, B, H, H, {h.as<const T>(), ld}, {w_hh.as<const T>(), ld, true}, {h_next.as<T>(), ld}, Into::add);
    activate(d, relu, B, H, b_ih.as<const T>(), b_hh.as<const T>(), h_next.as<T>());
  });
}

void rnn_cell_backward(Cuda d, bool relu, const View& h_next, const View& dh_next, const View& dsum) {
  visit_float("rnn_cell", h_next.dtype, [&]<class T>() {
    backward(d, relu, h_next.numel(), h_next.as<const T>(), dh_next.as<const T>(), dsum.as<T>());
  });
}

}  // namespace fovea
