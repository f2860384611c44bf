#include "fovea/kernels/circular_convolution.h"
#include "fovea/kernels/cuda_team.h"

// A team takes one row.

namespace fovea {
namespace {

constexpr auto op = "circular_convolution";

// i mod n, for -n <= i < 2 n
__device__ Index around(Index i, Index n) { return i < 0 ? i + n : i < n ? i : i - n; }

template <class T>
void forward(Cuda d, Index rows, Index n, Index shifts, const T* w_all, const T* s_all, T* y_all) {
  each_row(d, rows, n, [=] __device__(const auto& team, Index r) {
    const T *w = w_all + r * n, *s = s_all + r * shifts;
    const Index half = (shifts - 1) / 2;
    team.each(n, [&](Index i) {
      T sum = 0;
      for (Index t = 0; t < shifts; ++t) sum += s[t] * w[around(i + half - t, n)];
      y_all[r * n + i] = sum;
    });
  });
}

template <class T>
void backward(Cuda d, Index rows, Index n, Index shifts, const T* w_all, const T* s_all, const T* dy_all,
              T* dw_all, bool add_w, T* ds_all, bool add_s) {
  each_row(d, rows, n, [=] __device__(const auto& team, Index r) {
    const T *w = w_all + r * n, *s = s_all + r * shifts, *dy = dy_all + r * n;
    const Index half = (shifts - 1) / 2;
    if (dw_all)
      team.each(n, [&](Index j) {
        T sum = 0;
        for (Index t = 0; t < shifts; ++t) sum += s[t] * dy[around(j + t - half, n)];
        put(dw_all + r * n + j, sum, add_w);
      });
    if (!ds_all) return;
    team.wait();  // dw and ds may be one buffer
    for (Index t = 0; t < shifts; ++t) {
      const T sum = team.template sum<T>(n, [&](Index i) { return dy[i] * w[around(i + half - t, n)]; });
      if (team.lane == 0) put(ds_all + r * shifts + t, sum, add_s);
    }
  });
}

}  // namespace

void circular_convolution_forward(Cuda d, const View& w, const View& s, const View& y) {
  const Index n = w.shape.back();
  visit_float(op, w.dtype, [&]<class T>() {
    forward(d, w.numel() / n, n, s.shape.back(), w.as<const T>(), s.as<const T>(), y.as<T>());
  });
}

void circular_convolution_backward(Cuda d, const View& w, const View& s, const View& dy, const Target& dw,
                                   const Target& ds) {
  const Index n = w.shape.back();
  visit_float(op, w.dtype, [&]<class T>() {
    backward(d, w.numel() / n, n, s.shape.back(), w.as<const T>(), s.as<const T>(), dy.as<const T>(),
             dw.as<T>(), dw.into == Into::add, ds.as<T>(), ds.into == Into::add);
  });
}

}  // namespace fovea
