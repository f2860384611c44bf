#include "fovea/kernels/linear.h"
#include "fovea/ops/blas.h"
#include "fovea/ops/create.h"
#include "fovea/ops/grid_sample.h"
#include "fovea/ops/layer_norm.h"
#include "fovea/ops/linear.h"
#include "fovea/ops/lstm_cell.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/sampling_grid.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"
#include "tools/bench/workloads.h"

namespace fovea::tools {
namespace {

// 64 MiB of f32, which no cache holds.
constexpr Index rows = 16384, width = 1024;

Tensor noise(const BenchOptions& o, const Shape& shape) {
  Generator random(1);
  return activations(o, rand_normal(shape, random));
}

double bytes_of(const Tensor& x) {
  return static_cast<double>(x.numel()) * static_cast<double>(size_of(x.dtype()));
}

// Of products that cuBLAS does.
Factors factors_of(const BenchOptions& o) {
  return o.bf16 ? Factors::bf16 : tf32_allowed() ? Factors::tf32 : Factors::f32;
}

Work copy_work(const BenchOptions& o) {
  const Tensor x = noise(o, {rows, width}), y = clone(x);
  return {[x, y] { assign(y, x); }, 2 * bytes_of(x)};
}

Work add_work(const BenchOptions& o) {
  const Tensor x = noise(o, {rows, width}), y = clone(x);
  return {[x, y] { x + y; }, 3 * bytes_of(x)};
}

Work softmax_work(const BenchOptions& o) {
  const Tensor x = noise(o, {rows, width});
  return {[x] { softmax(x); }, 2 * bytes_of(x)};
}

Work layer_norm_work(const BenchOptions& o) {
  const Tensor x = noise(o, {rows, width}), weight = to(ones({width}), o.device),
               bias = to(zeros({width}), o.device);
  return {[=] { layer_norm(x, weight, bias); }, 2 * bytes_of(x)};
}

Work matmul_work(const BenchOptions& o) {
  const Index n = o.hidden_size.value_or(is_cpu(o.device) ? 1024 : 4096);
  const Tensor a = noise(o, {n, n}), b = cast(a, DType::f32);
  Step product = [a, b] { matmul(a, b); };
  if (o.bf16 && is_cpu(o.device))
    product = [a, b] { linear(a, b); };
  else if (o.bf16)  // the op's weight is f32, and rounded at every call
    product = [a, y = clone(a)] {
      std::visit([&](auto d) { linear_forward(d, view_of(a), view_of(a), {}, view_of(y)); }, a.device());
    };
  return {product, 0, 2 * static_cast<double>(n * n * n), factors_of(o)};
}

// Four products of [B,H] and [H,4H] in two: what moves is the weights, above all.
Work lstm_cell_work(const BenchOptions& o) {
  const Index B = o.batch_size.value_or(256), H = o.hidden_size.value_or(1024);
  const Tensor x = noise(o, {B, H}), w = noise(o, {4 * H, H}), bias = noise(o, {4 * H});
  const LstmState state{x, x};
  return {[=] { lstm_cell(x, state, w, w, bias, bias); }, 0, 2 * static_cast<double>(2 * B * H * 4 * H),
          factors_of(o)};
}

// A picture a little turned: every pixel is read about once.
Work grid_sample_work(const BenchOptions& o) {
  const Index B = o.batch_size.value_or(64), C = 16, side = 128;
  const Tensor x = noise(o, {B, C, side, side});
  const Tensor theta =
      to(expand(reshape(Tensor::from({0.9f, -0.1f, 0.05f, 0.1f, 0.9f, -0.05f}, {6}), {1, 2, 3}), {B, 2, 3}),
         o.device);
  const SamplingGrid grid = affine_grid(contiguous(theta), side, side, AlignCorners::no);
  return {[=] { grid_sample(x, grid); }, 2 * bytes_of(x)};
}

}  // namespace

std::vector<Workload> kernel_workloads() {
  return {
      {.name = "copy", .make = copy_work, .on_request = true, .bf16 = true},
      {.name = "add", .make = add_work, .on_request = true, .bf16 = true},
      {.name = "softmax", .make = softmax_work, .on_request = true},
      {.name = "layer_norm", .make = layer_norm_work, .on_request = true, .bf16 = true},
      {.name = "matmul", .make = matmul_work, .on_request = true, .bf16 = true},
      {.name = "lstm_cell", .make = lstm_cell_work, .on_request = true},
      {.name = "grid_sample", .make = grid_sample_work, .on_request = true},
  };
}

}  // namespace fovea::tools
