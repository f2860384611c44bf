#include "fovea/kernels/convert.h"
#include "fovea/kernels/copy.h"
#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/gemm.h"
#include "fovea/kernels/linear.h"
#include "fovea/kernels/pointwise.h"
#include "fovea/kernels/reduce.h"

namespace fovea {
namespace {

Index ld(Index columns) { return std::max<Index>(columns, 1); }

// A vector [O] as every row of [R,O].
View each_row_of(const View& vector, Index rows) {
  const Index n = vector.numel();
  return {vector.data, vector.dtype, {rows, n}, {0, 1}};
}
View matrix(const View& v, Index rows) {
  const Index n = v.shape.back();
  return {v.data, v.dtype, {rows, n}, {n, 1}, true};
}

}  // namespace

void linear_forward(Cuda d, const View& x, const View& w, const View& bias, const View& y, int activation,
                    const View& kept) {
  const View& u = kept ? kept : y;
  const Index rows = x.shape[0], in = w.shape[1], out = w.shape[0];
  visit_wide("linear", x.dtype, [&]<class T>() {
    const Matrix<const T> left{x.as<const T>(), ld(in)}, right{w.as<const T>(), ld(in), true};
    if constexpr (!std::is_same_v<T, double>) {
      // cuBLAS wants a bias of the result's type.
      const bool rounds = bias && std::is_same_v<T, bf16>;
      const DeviceScratch<T> rounded(d, rounds ? out : 0);
      if (rounds) copy(d, {rounded.data(), DType::bf16, {out}, {1}, true}, bias);
      const Epilogue<T> epilogue{rounds ? rounded.data() : bias.as<const T>(), activation, kept.as<T>()};
      if (gemm_with(d, rows, out, in, left, right, epilogue, {y.as<T>(), ld(out)})) return;
    }
    if (bias) copy(d, matrix(u, rows), each_row_of(bias, rows));
    gemm(d, rows, out, in, left, right, Matrix<T>{u.as<T>(), ld(out)}, bias ? Into::add : Into::set);
    if (activation != no_activation) pointwise_forward(d, activation, {&u, 1}, {}, y);
  });
}

void linear_input_gradient(Cuda d, const View& dy, const View& w, const View& dx, Into into) {
  const Index rows = dy.shape[0], in = w.shape[1], out = w.shape[0];
  visit_wide("linear", dy.dtype, [&]<class T>() {
    gemm(d, rows, in, out, Matrix<const T>{dy.as<const T>(), ld(out)},
         Matrix<const T>{w.as<const T>(), ld(in)}, Matrix<T>{dx.as<T>(), ld(in)}, into);
  });
}

void linear_weight_gradient(Cuda d, const View& dy, const View& x, const View& dw, Into into) {
  const Index rows = dy.shape[0], in = x.shape[1], out = dy.shape[1];
  visit_wide("linear", dy.dtype, [&]<class T>() {
    const Matrix<const T> left{dy.as<const T>(), ld(out), true}, right{x.as<const T>(), ld(in)};
    if (dw.dtype == dy.dtype)
      gemm(d, out, in, rows, left, right, Matrix<T>{dw.as<T>(), ld(in)}, into);
    else if constexpr (std::is_same_v<T, bf16>)
      gemm(d, out, in, rows, left, right, Matrix<float>{dw.as<float>(), ld(in)}, into);
  });
}

void linear_bias_gradient(Cuda d, const View& dy, const View& db, Into into) {
  const Index rows = dy.shape[0], out = dy.shape[1];
  if (dy.dtype != DType::bf16) return sum_forward(d, matrix(dy, rows), 1, each_row_of(db, rows), into);
  const auto* from = dy.as<const bf16>();
  auto* to = db.as<float>();
  const bool add = into == Into::add;
  sum_columns<1>(
      d, rows, out,
      [=] __device__(Index r, Index c) { return std::array{static_cast<float>(from[r * out + c])}; },
      [=] __device__(Index c, const std::array<double, 1>& sums) {
        put(to + c, static_cast<float>(sums[0]), add);
      });
}

}  // namespace fovea
