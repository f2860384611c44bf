#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/gru_cell.h"
#include "fovea/kernels/linear.h"
#include "fovea/kernels/scalar_math.h"

// Two products, and one kernel for all that is done to a unit: a thread takes its three gates.

namespace fovea {
namespace {

template <class T>
void forward(Cuda d, Index B, Index H, const T* b_ih, const T* b_hh, const T* h, T* gates, T* hidden,
             T* h_next) {
  each(d, B * H, [=] __device__(Index k) {
    const Index b = k / H, j = k - b * H, at = b * 3 * H + j;
    const auto input = [&](Index n) { return gates[at + n * H] + (b_ih ? b_ih[n * H + j] : T(0)); };
    const auto recurrent = [&](Index n) { return hidden[at + n * H] + (b_hh ? b_hh[n * H + j] : T(0)); };
    const T r = math::sigmoid(input(0) + recurrent(0)), z = math::sigmoid(input(1) + recurrent(1));
    const T n_hidden = recurrent(2), n = math::tanh(input(2) + r * n_hidden);
    gates[at] = r;
    gates[at + H] = z;
    gates[at + 2 * H] = n;
    hidden[at + 2 * H] = n_hidden;
    h_next[k] = n + z * (h[k] - n);
  });
}

template <class T>
void backward(Cuda d, Index B, Index H, const T* gates, const T* hidden, const T* h, const T* up, T* dinput,
              T* dhidden, T* dh, bool add) {
  each(d, B * H, [=] __device__(Index k) {
    const Index b = k / H, at = b * 3 * H + k - b * H;
    const T r = gates[at], z = gates[at + H], n = gates[at + 2 * H];
    // Forward was n = tanh(n_input + r n_hidden), h_next = (1 - z) n + z h.
    const T dn = up[k] * (1 - z) * (1 - n * n), dz = up[k] * (h[k] - n) * z * (1 - z),
            dr = dn * hidden[at + 2 * H] * r * (1 - r);
    dinput[at] = dhidden[at] = dr;  // r and z enter as a sum
    dinput[at + H] = dhidden[at + H] = dz;
    dinput[at + 2 * H] = dn;
    dhidden[at + 2 * H] = dn * r;
    if (dh) put(dh + k, up[k] * z, add);
  });
}

}  // namespace

void gru_cell_forward(Cuda d, const View& x, const View& h, const View& w_ih, const View& w_hh,
                      const View& b_ih, const View& b_hh, const View& gates, const View& hidden,
                      const View& h_next) {
  linear_forward(d, x, w_ih, {}, gates);
  linear_forward(d, h, w_hh, {}, hidden);
  visit_float("gru_cell", h.dtype, [&]<class T>() {
    forward(d, h.shape[0], h.shape[1], b_ih.as<const T>(), b_hh.as<const T>(), h.as<const T>(), gates.as<T>(),
            hidden.as<T>(), h_next.as<T>());
  });
}

void gru_cell_backward(Cuda d, const View& gates, const View& hidden, const View& h, const View& dh_next,
                       const View& dinput, const View& dhidden, const Target& dh) {
  visit_float("gru_cell", h.dtype, [&]<class T>() {
    backward(d, h.shape[0], h.shape[1], gates.as<const T>(), hidden.as<const T>(), h.as<const T>(),
             dh_next.as<const T>(), dinput.as<T>(), dhidden.as<T>(), dh.as<T>(), dh.into == Into::add);
  });
}

}  // namespace fovea
