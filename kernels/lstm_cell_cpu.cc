#include <algorithm>

#include "fovea/kernels/gemm.h"
#include "fovea/kernels/lstm_cell.h"
#include "fovea/kernels/parallel.h"
#include "fovea/kernels/scalar_math.h"
#include "fovea/kernels/scratch.h"

namespace fovea {
namespace {

// The two biases together, n numbers; either may be missing.
template <class T>
void sum_biases(const View& b_ih, const View& b_hh, Index n, T* sum) {
  std::fill_n(sum, n, T(0));
  for (const View& bias : {b_ih, b_hh})
    if (bias)
      for (Index j = 0; j < n; ++j) sum[j] += bias.as<const T>()[j];
}

}  // namespace

void lstm_cell_forward(Cpu cpu, const View& x, const View& h, const View& c, const View& w_ih,
                       const View& w_hh, const View& b_ih, const View& b_hh, const View& gates,
                       const View& h_next, const View& c_next) {
  const Index B = x.shape[0], H = h.shape[1];
  visit_float("lstm_cell", x.dtype, [&]<class T>() {
    T* g = gates.as<T>();
    const Scratch<T> bias(4 * H);
    sum_biases(b_ih, b_hh, 4 * H, bias.data());
    const auto product = [&](const View& in, const View& w, Into into) {
      const Index size = in.shape[1], ld = std::max<Index>(size, 1);
      gemm(cpu, B, 4 * H, size, {in.as<const T>(), ld}, {w.as<const T>(), ld, true}, {g, 4 * H}, into);
    };
    product(x, w_ih, Into::set);
    product(h, w_hh, Into::add);
    parallel_for(B, 4 * H, costly_grain, [&](Index begin, Index end) {
      for (Index b = begin; b < end; ++b) {
        T* i = g + b * 4 * H;
        T *f = i + H, *n = f + H, *o = n + H;
        const T* before = c.as<const T>() + b * H;
        T *hn = h_next.as<T>() + b * H, *cn = c_next.as<T>() + b * H;
#pragma GCC ivdep
        for (Index j = 0; j < 2 * H; ++j) i[j] = math::sigmoid(i[j] + bias[j]);  // i and f
#pragma GCC ivdep
        for (Index j = 0; j < H; ++j) n[j] = math::tanh(n[j] + bias[2 * H + j]);
#pragma GCC ivdep
        for (Index j = 0; j < H; ++j) o[j] = math::sigmoid(o[j] + bias[3 * H + j]);
#pragma GCC ivdep
        for (Index j = 0; j < H; ++j) cn[j] = f[j] * before[j] + i[j] * n[j];
#pragma GCC ivdep
        for (Index j = 0; j < H; ++j) hn[j] = o[j] * math::tanh(cn[j]);
      }
    });
  });
}

void lstm_cell_backward(Cpu, const View& gates, const View& c, const View& c_next, const View& dh_next,
                        const View& dc_next, const View& dgates, const View& dc, Into into) {
  const Index B = c.shape[0], H = c.shape[1];
  visit_float("lstm_cell", c.dtype, [&]<class T>() {
    parallel_for(B, 4 * H, costly_grain, [&](Index begin, Index end) {
      for (Index b = begin; b < end; ++b) {
        const T* i = gates.as<const T>() + b * 4 * H;
        const T *f = i + H, *n = f + H, *o = n + H;
        T* di = dgates.as<T>() + b * 4 * H;
        T *df = di + H, *dn = df + H, *dout = dn + H;
        const T *before = c.as<const T>() + b * H, *after = c_next.as<const T>() + b * H;
        const T* dh = dh_next ? dh_next.as<const T>() + b * H : nullptr;
        const T* dcn = dc_next ? dc_next.as<const T>() + b * H : nullptr;
        T* d_before = dc ? dc.as<T>() + b * H : nullptr;
        // Forward was cn = f c + i n, hn = o tanh(cn), with i, f, o = sigmoid and n = tanh of the gates; so
        // here, with s the gradient of cn, held where di goes until it is used up:
        T* s = di;
        if (dh) {
#pragma GCC ivdep
          for (Index j = 0; j < H; ++j) {
            const T t = math::tanh(after[j]);
            dout[j] = dh[j] * t * o[j] * (1 - o[j]);
            s[j] = dh[j] * o[j] * (1 - t * t);
          }
        } else {
          std::fill_n(dout, H, T(0));
          std::fill_n(s, H, T(0));
        }
        if (dcn)
#pragma GCC ivdep
          for (Index j = 0; j < H; ++j) s[j] += dcn[j];
        if (d_before) {
          if (into == Into::set)
#pragma GCC ivdep
            for (Index j = 0; j < H; ++j) d_before[j] = s[j] * f[j];
          else
#pragma GCC ivdep
            for (Index j = 0; j < H; ++j) d_before[j] += s[j] * f[j];
        }
#pragma GCC ivdep
        for (Index j = 0; j < H; ++j) {
          df[j] = s[j] * before[j] * f[j] * (1 - f[j]);
          dn[j] = s[j] * i[j] * (1 - n[j] * n[j]);
          di[j] = s[j] * n[j] * i[j] * (1 - i[j]);
        }
      }
    });
  });
}

}  // namespace fovea
