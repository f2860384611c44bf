#include <algorithm>

#include "fovea/kernels/gemm.h"
#include "fovea/kernels/linear.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/pointwise.h"

namespace fovea {
namespace {

Index ld(Index columns) { return std::max<Index>(columns, 1); }

}  // namespace

void linear_forward(Cpu cpu, const View& x, const View& w, const View& bias, const View& y, int activation,
                    const View& kept) {
  const View& u = kept ? kept : y;
  const Index rows = x.shape[0], in = w.shape[1], out = w.shape[0];
  visit_float("linear", x.dtype, [&]<class T>() {
    if (bias)
      parallel_for(rows, out, cheap_grain, [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) std::copy_n(bias.as<const T>(), out, u.as<T>() + r * out);
      });
    gemm(cpu, rows, out, in, {x.as<const T>(), ld(in)}, {w.as<const T>(), ld(in), true}, {u.as<T>(), ld(out)},
         bias ? Into::add : Into::set);
  });
  if (activation != no_activation) pointwise_forward(cpu, activation, {&u, 1}, {}, y);
}

void linear_input_gradient(Cpu cpu, const View& dy, const View& w, const View& dx, Into into) {
  const Index rows = dy.shape[0], in = w.shape[1], out = w.shape[0];
  visit_float("linear", dy.dtype, [&]<class T>() {
    gemm(cpu, rows, in, out, {dy.as<const T>(), ld(out)}, {w.as<const T>(), ld(in)}, {dx.as<T>(), ld(in)},
         into);
  });
}

void linear_weight_gradient(Cpu cpu, const View& dy, const View& x, const View& dw, Into into) {
  const Index rows = dy.shape[0], in = x.shape[1], out = dy.shape[1];
  visit_float("linear", dy.dtype, [&]<class T>() {
    gemm(cpu, out, in, rows, {dy.as<const T>(), ld(out), true}, {x.as<const T>(), ld(in)},
         {dw.as<T>(), ld(in)}, into);
  });
}

void linear_bias_gradient(Cpu, const View& dy, const View& db, Into into) {
  // Threads take columns, not rows: every sum is made by one of them.
  constexpr Index strip = 64;
  const Index rows = dy.shape[0], out = dy.shape[1];
  visit_float("linear", dy.dtype, [&]<class T>() {
    parallel_for((out + strip - 1) / strip, rows * strip, cheap_grain, [&](Index begin, Index end) {
      const Index at = begin * strip, width = std::min(end * strip, out) - at;
      T* sum = db.as<T>() + at;
      if (into == Into::set) std::fill_n(sum, width, T(0));
      for (Index r = 0; r < rows; ++r) {
        const T* row = dy.as<const T>() + r * out + at;
        store(sum, width, Into::add, [=](Index k) { return row[k]; });
      }
    });
  });
}

}  // namespace fovea
