#include "fovea/kernels/gru_cell.h"
#include "fovea/kernels/linear.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {

void gru_cell_forward(Cpu cpu, const View& x, const View& h, const View& w_ih, const View& w_hh,
                      const View& b_ih, const View& b_hh, const View& gates, const View& hidden,
                      const View& h_next) {
  const Index B = h.shape[0], H = h.shape[1];
  linear_forward(cpu, x, w_ih, b_ih, gates);
  linear_forward(cpu, h, w_hh, b_hh, hidden);
  visit_float("gru_cell", h.dtype, [&]<class T>() {
    parallel_for(B, 3 * H, costly_grain, [&](Index begin, Index end) {
      for (Index b = begin; b < end; ++b) {
        T *r = gates.as<T>() + b * 3 * H, *z = r + H, *n = z + H;
        const T *from_h = hidden.as<const T>() + b * 3 * H, *before = h.as<const T>() + b * H;
        store(r, 2 * H, Into::set, [&](Index j) { return math::sigmoid(r[j] + from_h[j]); });  // r and z
        store(n, H, Into::set, [&](Index j) { return math::tanh(n[j] + r[j] * from_h[2 * H + j]); });
        store(h_next.as<T>() + b * H, H, Into::set,
              [&](Index j) { return n[j] + z[j] * (before[j] - n[j]); });
      }
    });
  });
}

void gru_cell_backward(Cpu, const View& gates, const View& hidden, const View& h, const View& dh_next,
                       const View& dinput, const View& dhidden, const Target& dh) {
  const Index B = h.shape[0], H = h.shape[1];
  visit_float("gru_cell", h.dtype, [&]<class T>() {
    parallel_for(B, 3 * H, cheap_grain / 4, [&](Index begin, Index end) {
      for (Index b = begin; b < end; ++b) {
        const T *r = gates.as<const T>() + b * 3 * H, *z = r + H, *n = z + H;
        const T *n_hidden = hidden.as<const T>() + b * 3 * H + 2 * H, *before = h.as<const T>() + b * H;
        const T* up = dh_next.as<const T>() + b * H;
        T *dr = dinput.as<T>() + b * 3 * H, *dz = dr + H, *dn = dz + H;
        T* dhid = dhidden.as<T>() + b * 3 * H;
        // Forward was n = tanh(n_input + r n_hidden), h_next = (1 - z) n + z h.
        store(dn, H, Into::set, [&](Index j) { return up[j] * (1 - z[j]) * (1 - n[j] * n[j]); });
        store(dz, H, Into::set, [&](Index j) { return up[j] * (before[j] - n[j]) * z[j] * (1 - z[j]); });
        store(dr, H, Into::set, [&](Index j) { return dn[j] * n_hidden[j] * r[j] * (1 - r[j]); });
        store(dhid, 2 * H, Into::set, [&](Index j) { return dr[j]; });  // r and z enter as a sum
        store(dhid + 2 * H, H, Into::set, [&](Index j) { return dn[j] * r[j]; });
        if (dh) store(dh.as<T>() + b * H, H, dh.into, [&](Index j) { return up[j] * z[j]; });
      }
    });
  });
}

}  // namespace fovea
