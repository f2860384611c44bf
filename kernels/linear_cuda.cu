#include "fovea/kernels/copy.h"
#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/gemm.h"
#include "fovea/kernels/linear.h"
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

// f(T) of the type of activations: f32, f64 or bf16.
template <class F>
void visit(DType dtype, F&& f) {
  if (dtype == DType::bf16) return f.template operator()<bf16>();
  visit_float("linear", dtype, f);
}

}  // namespace

void linear_forward(Cuda d, const View& x, const View& w, const View& bias, const View& y) {
  const Index rows = x.shape[0], in = w.shape[1], out = w.shape[0];
  visit(x.dtype, [&]<class T>() {
    if (bias) copy(d, matrix(y, rows), each_row_of(bias, rows));
    gemm(d, rows, out, in, Matrix<const T>{x.as<const T>(), ld(in)},
         Matrix<const T>{w.as<const T>(), ld(in), true}, Matrix<T>{y.as<T>(), ld(out)},
         bias ? Into::add : Into::set);
  });
}

void linear_input_gradient(Cuda d, const View& dy, const View& w, const View& dx, Into into) {
  const Index rows = dy.shape[0], in = w.shape[1], out = w.shape[0];
  visit(dy.dtype, [&]<class T>() {
    gemm(d, rows, in, out, Matrix<const T>{dy.as<const T>(), ld(out)},
         Matrix<const T>{w.as<const T>(), ld(in)}, Matrix<T>{dx.as<T>(), ld(in)}, into);
  });
}

void linear_weight_gradient(Cuda d, const View& dy, const View& x, const View& dw, Into into) {
  const Index rows = dy.shape[0], in = x.shape[1], out = dy.shape[1];
  visit(dy.dtype, [&]<class T>() {
    const Matrix<const T> left{dy.as<const T>(), ld(out), true}, right{x.as<const T>(), ld(in)};
    if (dw.dtype == dy.dtype)
      gemm(d, out, in, rows, left, right, Matrix<T>{dw.as<T>(), ld(in)}, into);
    else if constexpr (std::is_same_v<T, bf16>)
      gemm(d, out, in, rows, left, right, Matrix<float>{dw.as<float>(), ld(in)}, into);
  });
}

void linear_bias_gradient(Cuda d, const View& dy, const View& db, Into into) {
  sum_forward(d, matrix(dy, dy.shape[0]), 1, each_row_of(db, dy.shape[0]), into);
}

}  // namespace fovea
