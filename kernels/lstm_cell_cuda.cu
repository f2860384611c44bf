#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/gemm.h"
#include "fovea/kernels/linear.h"
#include "fovea/kernels/lstm_cell.h"
#include "fovea/kernels/scalar_math.h"

// Two products, and one kernel for all that is done to a unit: a thread takes its four gates.

namespace fovea {
namespace {

template <class T>
void forward(Cuda d, Index B, Index H, const T* b_ih, const T* b_hh, const T* c, T* gates, T* h_next,
             T* c_next) {
  each(d, B * H, [=] __device__(Index k) {
    const Index b = k / H, j = k - b * H;
    T* g = gates + b * 4 * H + j;
    const auto sum = [&](Index n) {
      return g[n * H] + (b_ih ? b_ih[n * H + j] : T(0)) + (b_hh ? b_hh[n * H + j] : T(0));
    };
    const T i = math::sigmoid(sum(0)), f = math::sigmoid(sum(1)), n = math::tanh(sum(2)),
            o = math::sigmoid(sum(3)), after = f * c[k] + i * n;
    g[0] = i;
    g[H] = f;
    g[2 * H] = n;
    g[3 * H] = o;
    c_next[k] = after;
    h_next[k] = o * math::tanh(after);
  });
}

template <class T>
void backward(Cuda d, Index B, Index H, const T* gates, const T* c, const T* c_next, const T* dh_next,
              const T* dc_next, T* dgates, T* dc, bool add) {
  each(d, B * H, [=] __device__(Index k) {
    const Index b = k / H, at = b * 4 * H + k - b * H;
    const T i = gates[at], f = gates[at + H], n = gates[at + 2 * H], o = gates[at + 3 * H];
    const T t = math::tanh(c_next[k]), dh = dh_next ? dh_next[k] : T(0);
    // Forward was cn = f c + i n, hn = o tanh(cn), with i, f, o = sigmoid and n = tanh of the gates; so here,
    // with s the gradient of cn:
    const T s = dh * o * (1 - t * t) + (dc_next ? dc_next[k] : T(0));
    dgates[at] = s * n * i * (1 - i);
    dgates[at + H] = s * c[k] * f * (1 - f);
    dgates[at + 2 * H] = s * i * (1 - n * n);
    dgates[at + 3 * H] = dh * t * o * (1 - o);
    if (dc) put(dc + k, s * f, add);
  });
}

}  // namespace

void lstm_cell_forward(Cuda d, const View& x, const View& h, const View& c, const View& w_ih,
                       const View& w_hh, const View& b_ih, const View& b_hh, const View& gates,
                       const View& h_next, const View& c_next) {
  const Index B = h.shape[0], H = h.shape[1], ld = std::max<Index>(H, 1);
  linear_forward(d, x, w_ih, {}, gates);
  visit_float("lstm_cell", x.dtype, [&]<class T>() {
    gemm(d, B, 4 * H, H, {h.as<const T>(), ld}, {w_hh.as<const T>(), ld, true}, {gates.as<T>(), 4 * ld},
         Into::add);
    forward(d, B, H, b_ih.as<const T>(), b_hh.as<const T>(), c.as<const T>(), gates.as<T>(), h_next.as<T>(),
            c_next.as<T>());
  });
}

void lstm_cell_backward(Cuda d, const View& gates, const View& c, const View& c_next, const View& dh_next,
                        const View& dc_next, const View& dgates, const View& dc, Into into) {
  visit_float("lstm_cell", c.dtype, [&]<class T>() {
    backward(d, c.shape[0], c.shape[1], gates.as<const T>(), c.as<const T>(), c_next.as<const T>(),
             dh_next.as<const T>(), dc_next.as<const T>(), dgates.as<T>(), dc.as<T>(), into == Into::add);
  });
}

}  // namespace fovea
